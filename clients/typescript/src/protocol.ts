// What goes over the wire (docs/protocol.md), and the one place where it is checked.
import {notRowcast} from './problem.js';

/** What a change is *to the subscription*: a row that an UPDATE brings into view is an `INSERT`. */
export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';

/** Any row, where the application has no type of its own for it. */
export type AnyRow = Record<string, unknown>;

/** One committed change of one row, as this user may see it. */
export interface Change<Row = AnyRow> {
  /** Of the change; for recognising it again, not for ordering. */
  readonly id: string;
  /** As PostgreSQL prints it, always with its schema: `public.orders`. */
  readonly table: string;
  readonly op: Operation;
  /** What the application did. */
  readonly cause: Operation;
  /** Absent from DELETE and TRUNCATE, and where `truncated` is set. */
  readonly row?: Row;
  /** With `old()`: of an UPDATE the former values of what changed, of a DELETE the row. */
  readonly old?: Partial<Row>;
  /** The columns that an UPDATE changed. */
  readonly changed?: readonly string[];
  /** The primary key, or the key named at `rowcast.watch`. Absent from TRUNCATE. */
  readonly key?: Partial<Row>;
  /** The row was too large for the log: read it by its key. */
  readonly truncated?: true;
  /** When the statement ran, ISO 8601. */
  readonly at: string;
  /** The transaction. */
  readonly tx: string;
}

/** What was published to a channel. */
export interface Message<Payload = unknown> {
  /** Absent from a message of a plain `NOTIFY` channel. */
  readonly id?: string;
  readonly channel: string;
  readonly event: string;
  readonly payload: Payload;
  /** `false`: it is in no log, and a reconnect does not bring it again. */
  readonly durable?: false;
  readonly at: string;
  readonly tx?: string;
}

/** A change or a message, and the subscriptions that it is for. */
export interface WireEvent {
  readonly subs: readonly string[];
  readonly id?: string;
  readonly tx?: string;
}

/** What a subscription to a table asks for. */
export interface TableWish {
  readonly table: string;
  readonly events?: readonly Operation[];
  readonly where?: Filter;
  readonly columns?: readonly string[];
  readonly old?: boolean;
}

/** What one subscription asks for. */
export type Wish = TableWish | {readonly channel: string};

/** A value that a filter compares with. A number beyond 2^53 is given as a string. */
export type Scalar = string | number | bigint | boolean;

/** The operators on one column; several must all hold. */
export interface Condition {
  readonly eq?: Scalar;
  readonly neq?: Scalar;
  readonly gt?: Scalar;
  readonly gte?: Scalar;
  readonly lt?: Scalar;
  readonly lte?: Scalar;
  readonly in?: readonly Scalar[];
  readonly nin?: readonly Scalar[];
  readonly is?: null | boolean | 'not null' | 'unknown';
  readonly like?: string;
  readonly ilike?: string;
  readonly contains?: unknown;
}

/** Which rows: `{status: {in: ['open', 'paid']}, total: {gte: 100}}`. A bare value is `eq`, `null` is `is`; what stands side by side must all hold. */
export type Filter<Row = AnyRow> = string extends keyof Row
  ? {readonly [column: string]: Scalar | null | Condition | Filter | readonly Filter[] | undefined}
  : {readonly [Column in keyof Row & string]?: Scalar | null | Condition} & {
      readonly and?: readonly Filter<Row>[];
      readonly or?: readonly Filter<Row>[];
      readonly not?: Filter<Row>;
    };

/** What a server says on a WebSocket; the other transports' words are turned into the same. */
export type ServerMessage =
  | {readonly type: 'welcome'; readonly heartbeat: number}
  | {readonly type: 'authenticated'; readonly expires?: number}
  | {readonly type: 'expiring'; readonly in: number}
  | {readonly type: 'subscribed'; readonly id: string; readonly status: 'live' | 'resumed' | 'reset'; readonly reason?: string; readonly cursor: string}
  | {readonly type: 'changes'; readonly id?: string; readonly cursor: string; readonly events: readonly WireEvent[]; readonly more: boolean; readonly live?: boolean}
  | {readonly type: 'cursor'; readonly cursor: string}
  | {readonly type: 'resync'; readonly id: string; readonly reason: string}
  | {readonly type: 'unsubscribed'; readonly id: string}
  | {readonly type: 'pong'}
  | {readonly type: 'goodbye'; readonly reason: string; readonly reconnect_ms: number}
  | {readonly type: 'error'; readonly id?: string; readonly code: string; readonly message: string};

type Kind = 'string' | 'number' | 'boolean' | 'events';

const members: {readonly [Type in ServerMessage['type']]: Readonly<Record<string, Kind>>} = {
  welcome: {heartbeat: 'number'},
  authenticated: {},
  expiring: {in: 'number'},
  subscribed: {id: 'string', status: 'string', cursor: 'string'},
  changes: {cursor: 'string', events: 'events', more: 'boolean'},
  cursor: {cursor: 'string'},
  resync: {id: 'string', reason: 'string'},
  unsubscribed: {id: 'string'},
  pong: {},
  goodbye: {reconnect_ms: 'number'},
  error: {code: 'string', message: 'string'},
};

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEvent = (value: unknown) => isObject(value) && Array.isArray(value['subs']);

const is = (kind: Kind, value: unknown) =>
  kind === 'events' ? Array.isArray(value) && value.every(isEvent) : typeof value === kind;

/** A server's message; `undefined` for a type that this version does not know (a later server's), and it throws at anything else. */
export function checkMessage(value: unknown): ServerMessage | undefined {
  if (!isObject(value) || typeof value['type'] !== 'string') throw notRowcast('no type');
  const type = value['type'];
  if (!Object.hasOwn(members, type)) return undefined;
  for (const [name, kind] of Object.entries(members[type as ServerMessage['type']])) {
    if (!is(kind, value[name])) throw notRowcast(`${type}: ${name}`);
  }
  return value as ServerMessage;
}

/** The answer of `GET /v1/changes`. */
export interface Page {
  readonly cursor: string;
  readonly events: readonly WireEvent[];
  readonly more: boolean;
  readonly resync?: readonly {readonly id: string; readonly reason: string}[];
}

export function checkPage(value: unknown): Page {
  if (!isObject(value) || !is('string', value['cursor']) || !is('events', value['events']) || !is('boolean', value['more'])) {
    throw notRowcast('no changes');
  }
  return value as unknown as Page;
}
