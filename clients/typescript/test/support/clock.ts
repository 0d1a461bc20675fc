import type {Clock} from '../../src/platform.js';

/** Time that stands still until it is moved. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #timers: {at: number; call: () => void}[] = [];

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = {at: this.#now + milliseconds, call};
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** How long until the next timer. */
  get next(): number | undefined {
    return this.#timers.length ? Math.min(...this.#timers.map(({at}) => at)) - this.#now : undefined;
  }

  /** Calls what becomes due, in its order, and lets promises settle in between. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (;;) {
      const due = this.#timers.filter(({at}) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.#now = Math.max(this.#now, due.at);
      due.call();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
