// Tabs of one browser: channels that they all hear, and locks of which each has one holder.
import type {Surroundings, TabChannel} from '../../src/tabs/words.js';

export class Browser {
  readonly #channels = new Map<string, Set<TabChannel>>();
  readonly #held = new Map<string, {take: () => void; waiting: (() => void)[]}>();
  /** Locks may not be asked for here. */
  forbidden = false;

  /** What one tab sees; while it is frozen it hears nothing, and then everything. */
  tab(): Surroundings & {frozen: boolean} {
    const tab = {frozen: false, locks: {request: this.#request as LockManager['request']}, channel: (name: string) => this.#open(name, tab)};
    return tab;
  }

  #open(name: string, tab: {readonly frozen: boolean}): TabChannel {
    const all = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, all);
    const late: unknown[] = [];
    const channel: TabChannel & {hear: (data: unknown) => void} = {
      onmessage: null,
      postMessage: (message) => {
        if (!all.has(channel)) throw new Error('InvalidStateError: the channel is closed');
        const data: unknown = structuredClone(message);
        for (const other of all) if (other !== channel) queueMicrotask(() => (other as typeof channel).hear(data));
      },
      close: () => void all.delete(channel),
      hear: (data) => {
        if (!all.has(channel)) return;
        late.push(data);
        if (!tab.frozen) for (const each of late.splice(0)) channel.onmessage?.({data: each} as MessageEvent);
      },
    };
    all.add(channel);
    return channel;
  }

  readonly #request = (name: string, {signal, steal}: LockOptions, hold: () => Promise<void>): Promise<void> =>
    new Promise<void>((done, fail) => {
      if (this.forbidden) throw new DOMException('not here', 'SecurityError');
      const before = this.#held.get(name);
      const waiting = before?.waiting ?? [];
      const grant = () => {
        const holder = {waiting, take: () => fail(new DOMException('', 'AbortError'))};
        this.#held.set(name, holder);
        queueMicrotask(() => void hold().then(() => {
          done();
          if (this.#held.get(name) !== holder) return;
          this.#held.delete(name);
          waiting.shift()?.();
        }, fail));
      };
      if (before && !steal) {
        waiting.push(grant);
        signal?.addEventListener('abort', () => {
          const index = waiting.indexOf(grant);
          if (index >= 0) waiting.splice(index, 1);
          fail(new DOMException('', 'AbortError'));
        });
      } else {
        before?.take();
        grant();
      }
    });
}
