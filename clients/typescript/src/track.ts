// What one subscription has been given, and from where it goes on. Whole transactions, each event once; pure.
import type {WireEvent} from './protocol.js';

/** So many ids are remembered to know an event again; more than one page of polling has, see `take`. */
const remembered = 2048;

export class Track {
  /** Everything up to here has been handed over: what may be kept beyond this page's life. */
  cursor: string | undefined;
  /** Everything up to here has come: where a reconnect goes on. Ahead of `cursor` in the midst of a transaction. */
  place: string | undefined;
  /** Moves with the connection's other live subscriptions; otherwise it is being caught up by itself. */
  live = false;
  /** Events that came again and were left out. */
  repeated = 0;

  #unfinished: WireEvent[] = [];
  readonly #seen = new Set<string>();

  constructor(
    cursor: string | undefined,
    /** The largest transaction that is kept together. */
    readonly most: number,
  ) {
    this.cursor = this.place = cursor;
  }

  /** The server's answer. What is unfinished goes on from there, and what of it comes again is known by its id. */
  begin(cursor: string, live: boolean): void {
    this.place = cursor;
    if (this.#unfinished.length === 0) this.cursor = cursor;
    this.live = live;
  }

  /** What came before is of no use: another log, or another reading of the rows. */
  reset(cursor?: string): void {
    this.#unfinished = [];
    this.#seen.clear();
    this.cursor = this.place = cursor;
  }

  /**
   * Events as they came, and the whole transactions that can be handed over now. `more`: the last one goes on. Without a cursor the place
   * stays what it was, and a reconnect brings again what is known by its id then. `undefined`: the transaction is larger than is kept.
   */
  take(events: readonly WireEvent[], cursor: string | undefined, more: boolean): readonly WireEvent[] | undefined {
    for (const event of events) {
      if (event.id !== undefined) {
        if (this.#seen.has(event.id)) {
          ++this.repeated;
          continue;
        }
        this.#remember(event.id);
      }
      this.#unfinished.push(event);
    }
    this.place = cursor ?? this.place;
    if (more) return this.#unfinished.length > this.most ? undefined : [];
    const whole = this.#unfinished;
    this.#unfinished = [];
    this.cursor = this.place;
    return whole;
  }

  #remember(id: string): void {
    this.#seen.add(id);
    // A Set is in the order of insertion. What is unfinished must be known for as long as it is.
    for (const oldest of this.#seen) {
      if (this.#seen.size <= remembered + this.#unfinished.length) break;
      this.#seen.delete(oldest);
    }
  }
}
