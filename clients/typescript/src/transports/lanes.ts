// Subscriptions over plain HTTP. One request has one cursor, so those that are at the same place share a request, a lane;
// lanes that come to the same place become one.
import {subscriptionParameter} from '../notation.js';
import {asError, isOfSubscription, isReset, type RowcastError} from '../problem.js';
import type {WireEvent} from '../protocol.js';
import type {Connection, Frame, Listener, Setting, WireSubscription} from './transport.js';

/** One subscription of a lane. */
interface Member {
  readonly id: string;
  readonly parameter: string;
  readonly anew: boolean;
  /** From where it goes on; nothing: from what is now. */
  after: string | undefined;
  /** Why it does not go on from where it was. */
  reset?: string;
  /** It is in the midst of a transaction, of which nobody else is to get the rest alone. */
  amidst?: boolean;
  /** Something of its lane was refused, and it is to be seen whose fault it was. */
  alone?: boolean;
}

/** A lane at work. */
export interface Lane {
  readonly members: readonly Member[];
  readonly signal: AbortSignal;
  readonly after: string | undefined;
  /** The query without a question mark, up to and with the cursor. */
  query(after: string | undefined): string;
  /** The server's first answer: all members are subscribed, from `cursor` on. */
  begun(cursor: string): void;
  /** Whole transactions, and its place behind them. */
  changes(events: readonly WireEvent[], cursor: string): void;
  /** Whole transactions, and more to come before there is a place behind them. */
  whole(events: readonly WireEvent[]): void;
  /** A part of a transaction that goes on, and its place, where that can be gone on from. */
  part(events: readonly WireEvent[], cursor: string | undefined): void;
  tell(frame: Frame): void;
  /** Something came. */
  heard(): void;
  /** Whether this lane is one of many, and should not keep a connection for itself. */
  readonly crowded: boolean;
}

/** A URL may have 8 KB, a session 100 subscriptions. */
const longestQuery = 6000;
const mostMembers = 50;
/** Browsers open six connections to a host, and the application needs some. */
const mostHeld = 3;

export abstract class LanesConnection implements Connection {
  protected token: string | undefined;
  #over = false;
  readonly #members = new Map<string, Member>();
  #heard: number;
  #run = new AbortController();
  #places: (string | undefined)[] = [];
  #arranging = false;
  #opened = false;

  constructor(
    protected readonly setting: Setting,
    protected readonly listener: Listener,
  ) {
    this.token = setting.token;
    this.#heard = setting.platform.clock.now();
  }

  /** After so many milliseconds in which nothing came, a `poke` begins anew. */
  protected abstract get quiet(): number;

  /** Carries one lane until its signal says otherwise; throws where it cannot. */
  protected abstract carry(lane: Lane): Promise<void>;

  add(subscriptions: readonly WireSubscription[]): void {
    for (const {id, wish, after, anew = false} of subscriptions) {
      try {
        this.#members.set(id, {id, parameter: encodeURIComponent(subscriptionParameter(id, wish)), after, anew});
      } catch (cause) {
        const error = asError(cause);
        queueMicrotask(() => this.#over || this.listener.frame({type: 'refused', id, error}));
      }
    }
    this.arrange();
  }

  remove(id: string): void {
    if (this.#members.delete(id)) this.arrange();
  }

  authenticate(token: string | undefined): void {
    this.token = token;
  }

  poke(): void {
    if (this.setting.platform.clock.now() - this.#heard > this.quiet) this.arrange();
  }

  close(): void {
    this.#over = true;
    this.#run.abort();
  }

  #hear(): void {
    this.#heard = this.setting.platform.clock.now();
    this.listener.heard();
  }

  #end(why: RowcastError): void {
    if (this.#over) return;
    this.close();
    this.listener.ended(why);
  }

  /** Stops what runs, and starts it again with who is there now; what was not finished comes again. */
  protected arrange(): void {
    if (this.#arranging || this.#over) return;
    this.#arranging = true;
    queueMicrotask(() => {
      this.#arranging = false;
      if (this.#over) return;
      this.#run.abort();
      this.#run = new AbortController();
      const lanes = this.#lanes();
      this.#places = lanes.map(([first]) => first?.after);
      lanes.forEach((members, index) => void this.#start(members, index));
    });
  }

  // Those who begin now join the first who are under way; who must not, and who is under suspicion, has its own.
  #lanes(): Member[][] {
    const all = [...this.#members.values()];
    const at = all.find(({after, alone, amidst}) => after !== undefined && !alone && !amidst)?.after;
    const places = new Map<string, Member[]>();
    for (const member of all) {
      if (member.after === undefined && !member.anew && !member.reset && !member.alone) member.after = at;
      const place = member.alone ? `alone ${member.id}` : member.after === undefined ? 'now' : `at ${member.after}`;
      places.set(place, [...(places.get(place) ?? []), member]);
    }
    return [...places.values()].flatMap(fit);
  }

  async #start(members: readonly Member[], index: number): Promise<void> {
    const {signal} = this.#run;
    const ids = members.map(({id}) => id);
    const tell = (frame: Frame) => {
      if (!signal.aborted) this.listener.frame(frame);
    };
    const move = (events: readonly WireEvent[], cursor: string | undefined, more: boolean) => {
      tell({type: 'changes', ids, events, more, ...(cursor !== undefined && {cursor})});
      if (signal.aborted) return;
      for (const member of members) {
        member.after = cursor ?? member.after;
        member.amidst = more;
      }
      if (cursor !== undefined) this.#moved(index, cursor);
    };
    const lane: Lane = {
      members,
      signal,
      after: members[0]!.after,
      crowded: index >= mostHeld,
      tell,
      query: (after) =>
        members.map(({parameter}) => `sub=${parameter}`).join('&') + (after === undefined ? '' : `&after=${encodeURIComponent(after)}`),
      begun: (cursor) => {
        if (signal.aborted) return;
        if (!this.#opened) {
          this.#opened = true;
          this.listener.opened();
        }
        for (const member of members) {
          const {id, reset} = member;
          const status = reset ? 'reset' : member.after === undefined ? 'live' : 'resumed';
          member.after = cursor;
          member.alone = false;
          delete member.reset;
          tell({type: 'subscribed', id, status, cursor, ...(reset && {reason: reset})});
        }
        this.#moved(index, cursor);
      },
      changes: (events, cursor) => move(events, cursor, false),
      whole: (events) => tell({type: 'changes', ids, events, more: false}),
      part: (events, cursor) => move(events, cursor, true),
      heard: () => this.#hear(),
    };
    try {
      await this.carry(lane);
    } catch (error) {
      if (!signal.aborted) this.#failed(members, asError(error));
    }
  }

  #moved(index: number, cursor: string): void {
    this.#places[index] = cursor;
    // Several may be at one place because one URL does not hold them.
    if (this.#places.filter((place) => place === cursor).length > fit([...this.#members.values()].filter(({after}) => after === cursor)).length) this.arrange();
  }

  #failed(members: readonly Member[], error: RowcastError): void {
    if (isReset(error) && members[0]!.after !== undefined) {
      for (const member of members) {
        member.after = undefined;
        member.reset = error.code;
      }
      this.arrange();
    } else if (isOfSubscription(error)) {
      this.#refuse(members, error);
    } else {
      this.#end(error);
    }
  }

  #refuse(members: readonly Member[], error: RowcastError): void {
    if (members.length === 1) {
      const {id} = members[0]!;
      this.#members.delete(id);
      this.listener.frame({type: 'refused', id, error});
      return;
    }
    for (const member of members) member.alone = true;
    this.arrange();
  }
}

/** As many parts as requests are needed. */
function fit(members: readonly Member[]): Member[][] {
  const parts: Member[][] = [];
  let length = Infinity;
  for (const member of members) {
    length += member.parameter.length + 5;
    if (length > longestQuery || parts.at(-1)!.length === mostMembers) {
      parts.push([]);
      length = member.parameter.length;
    }
    parts.at(-1)!.push(member);
  }
  return parts;
}
