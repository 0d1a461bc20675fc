// Runs in each of the windows before the bakery's page, which knows nothing of it: spoils the network as the visitor wishes,
// and counts what goes over it.

/** What the network lets through. */
export type Network = 'everything' | 'no WebSockets' | 'no streams either' | 'nothing';

export interface Inside {
  /** Requests to the bakery's API, by when they were made (milliseconds since the page began). */
  readonly asked: number[];
  /** What came over rowcast's connection, in bytes. */
  told: number;
  spoil(network: Network): void;
  /** Milliseconds until something else is shown in the page. */
  seen(): Promise<number>;
}

declare global {
  interface Window { inside?: Inside }
}

let network: Network = 'everything';
const connections = new Set<() => void>();
const open = {fetch: window.fetch.bind(window), WebSocket: window.WebSocket};

const isBlocked = (kind: 'websocket' | 'stream' | 'request') =>
  network === 'nothing' || (kind === 'websocket' && network !== 'everything') || (kind === 'stream' && network === 'no streams either');

window.WebSocket = new Proxy(open.WebSocket, {
  construct(WebSocket, [url, protocol]: [string, string]) {
    if (isBlocked('websocket')) {
      const refused = {send() {}, close() {}, onclose: (_: {code: number; reason: string}) => {}};
      setTimeout(() => refused.onclose({code: 1006, reason: ''}));
      return refused;
    }
    const socket = new WebSocket(url, protocol);
    const cut = () => socket.close();
    connections.add(cut);
    socket.addEventListener('message', ({data}) => (inside.told += String(data).length));
    socket.addEventListener('close', () => connections.delete(cut));
    return socket;
  },
});

window.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input, location.href);
  if (url.origin === location.origin) inside.asked.push(performance.now());
  if (isBlocked(url.pathname.endsWith('/sse') ? 'stream' : 'request')) throw new TypeError('Failed to fetch');
  const line = new AbortController();
  const cut = () => line.abort(new TypeError('network error'));
  connections.add(cut);
  init?.signal?.addEventListener('abort', () => line.abort(init.signal!.reason));
  const answer = await open.fetch(input, {...init, signal: line.signal});
  if (!answer.body) return answer;
  const counted = answer.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, through) {
      if (url.origin !== location.origin) inside.told += bytes.length;
      through.enqueue(bytes);
    },
    flush: () => void connections.delete(cut),
  }));
  return new Response(counted, answer);
};

const inside: Inside = {
  asked: [],
  told: 0,
  spoil(wanted) {
    const before = network;
    network = wanted;
    if (wanted !== 'everything') for (const cut of [...connections]) cut();
    if (wanted === 'nothing') dispatchEvent(new Event('offline'));
    else if (before === 'nothing') dispatchEvent(new Event('online'));
  },
  seen() {
    const begin = performance.now();
    return new Promise((tell) => {
      const observer = new MutationObserver(() => {
        observer.disconnect();
        requestAnimationFrame(() => tell(performance.now() - begin));
      });
      observer.observe(document.querySelector('main')!, {subtree: true, childList: true, characterData: true});
    });
  },
};
window.inside = inside;

const dress = () => {
  const {theme} = localStorage;
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
};
addEventListener('storage', dress);
dress();
