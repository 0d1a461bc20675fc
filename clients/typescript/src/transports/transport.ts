// What the client sees of a transport: a connection that carries subscriptions, and tells what came.
import type {Transport} from '../machine.js';
import type {Platform} from '../platform.js';
import type {RowcastError} from '../problem.js';
import type {WireEvent, Wish} from '../protocol.js';

/** A subscription as a connection has it; the id is of this side's making and never used twice. */
export interface WireSubscription {
  readonly id: string;
  readonly wish: Wish;
  readonly after: string | undefined;
  /** Without `after`: must begin with what is now, not with the place of others (which may lie before a `resync`). */
  readonly anew?: boolean;
}

/** What came, in the same words on every transport. */
export type Frame =
  | {readonly type: 'subscribed'; readonly id: string; readonly status: 'live' | 'resumed' | 'reset'; readonly reason?: string; readonly cursor: string}
  /** `ids`: which subscriptions move; absent: all that are live. Without a cursor they stay where they are. */
  | {readonly type: 'changes'; readonly ids?: readonly string[]; readonly cursor?: string; readonly events: readonly WireEvent[]; readonly more: boolean; readonly live?: boolean}
  /** The subscription has ended; read anew, and subscribe again. */
  | {readonly type: 'resync'; readonly id: string; readonly reason: string}
  /** The subscription has ended, and would again. */
  | {readonly type: 'refused'; readonly id: string; readonly error: RowcastError};

/** Whom a connection tells; nothing comes after `ended` or `close()`. */
export interface Listener {
  /** Something of rowcast's came through: this transport works here. Once. */
  opened(): void;
  frame(frame: Frame): void;
  /** The token will last so many milliseconds, and not much longer. */
  expiring(left: number): void;
  /** The last call. */
  ended(why: RowcastError): void;
  /** Anything at all was heard, for the statistics. */
  heard(): void;
}

/** What carries subscriptions, from its opening to its end; then another one takes its place. */
export interface Connection {
  add(subscriptions: readonly WireSubscription[]): void;
  remove(id: string): void;
  /** A fresh token for the same user. */
  authenticate(token: string | undefined): void;
  /** Find out soon whether it is alive, or look for news at once. */
  poke(): void;
  close(): void;
}

/** What a connection is opened with. */
export interface Setting {
  readonly transport: Transport;
  readonly platform: Platform;
  /** http(s)://host[/path], without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  /** How often a server that has nothing to say says so. */
  readonly heartbeat: number;
  readonly times: TransportTimes;
  /** Whether somebody looks at the page. */
  readonly visible: () => boolean;
}

/** Milliseconds. */
export interface TransportTimes {
  /** For a connection to prove itself. */
  readonly open: number;
  /** How long a long poll is held; at most 60 s. */
  readonly longPoll: number;
  /** Between plain polls while somebody looks, and while nobody does. */
  readonly poll: number;
  readonly pollHidden: number;
  /** For an answer to come, to a ping or a request. */
  readonly answer: number;
}

/** How each transport is opened; those that are absent are not used, and need not be loaded. */
export type Openers = {readonly [Each in Transport]?: (setting: Setting, listener: Listener) => Connection};
