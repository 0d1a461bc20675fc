// What an environment has to bring: a browser and Node bring all of it, and each part can be given instead.

/** Time, so that tests have their own. */
export interface Clock {
  /** Milliseconds; goes on while a laptop sleeps. */
  now(): number;
  /** Calls once after a time; returns its undo. */
  after(milliseconds: number, call: () => void): () => void;
}

/** What the environment tells: the network comes and goes, the page is looked at or not. */
export type Signal = 'online' | 'offline' | 'visible' | 'hidden';

/** The part of `WebSocket` that is used. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: {data: unknown}) => void) | null;
  onclose: ((event: {code: number; reason: string}) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** As `localStorage` has it. */
export interface CursorStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** All of them together. */
export interface Platform {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Absent where there is none (Node before 22): then WebSocket is not among the transports. */
  readonly openWebSocket: ((url: string, protocol: string) => WebSocketLike) | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  /** Calls when the network comes and goes, and the page is looked at or not; returns its undo. */
  readonly watch: (tell: (signal: Signal) => void) => () => void;
  readonly parse: (text: string) => unknown;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, call) {
    // Beyond 2^31 ms a timer fires at once.
    const timer = setTimeout(call, Math.min(milliseconds, 0x7fffffff));
    return () => clearTimeout(timer);
  },
};

/** The browser's signals, where this is one. */
export function watchBrowser(tell: (signal: Signal) => void): () => void {
  const page = globalThis.document as Document | undefined;
  const target = 'addEventListener' in globalThis ? globalThis : undefined;
  const online = () => tell('online');
  const offline = () => tell('offline');
  const visibility = () => tell(page?.hidden ? 'hidden' : 'visible');
  target?.addEventListener('online', online);
  target?.addEventListener('offline', offline);
  page?.addEventListener('visibilitychange', visibility);
  return () => {
    target?.removeEventListener('online', online);
    target?.removeEventListener('offline', offline);
    page?.removeEventListener('visibilitychange', visibility);
  };
}
