// What an application asks for, put together step by step; nothing happens before `subscribe`.
import type {Client, Limits} from './client.js';
import type {Sink} from './feed.js';
import type {RowcastError} from './problem.js';
import type {AnyRow, Change, Filter, Message, Operation, TableWish, WireEvent} from './protocol.js';

/** What may be told of a subscription. */
export interface Observer {
  /** It is in its place: whatever is committed from now on will be told. Once. */
  live?(): void;
  /**
   * What you hold may be stale (the reason says why: `cursor_expired`, `permissions_changed`, …): read it again. Not called where
   * the client reads the rows itself.
   */
  reset?(reason: string): void;
  /** It cannot be, and has ended. Without this, the error is thrown as an uncaught one. */
  error?(error: RowcastError): void;
}

export interface TableObserver<Row> extends Observer {
  /**
   * The rows that are there, first of all and again whenever what you hold is stale: they replace it. Every change after them is
   * told to `changes`, none before. Leave it out, and no rows are read.
   */
  rows?(rows: readonly Row[]): void;
  /** One or more whole transactions, in an order in which none comes before one that it depends on. Each change comes once. */
  changes?(changes: readonly Change<Row>[]): void;
}

export interface ChannelObserver<Payload> extends Observer {
  messages?(messages: readonly Message<Payload>[]): void;
}

/** What is kept of a subscription. */
export interface SubscribeOptions {
  /** Keep the cursor under this name in the client's `storage`, and go on from it after a reload. Not together with `rows`. */
  readonly resume?: string;
}

const fail = (error: RowcastError) => {
  queueMicrotask(() => {
    throw error;
  });
};

function sink(observer: Observer, events: (events: readonly WireEvent[]) => void, rows?: (rows: readonly AnyRow[]) => void): Sink {
  return {
    events,
    live: () => observer.live?.(),
    reset: (reason) => observer.reset?.(reason),
    error: (error) => (observer.error ? observer.error(error) : fail(error)),
    ...(rows && {rows}),
  };
}

/** Some rows and columns of a table. Each method gives a new one. */
export class TableQuery<Row extends object> {
  readonly #client: Client;
  readonly #wish: TableWish;

  /** @internal */
  constructor(client: Client, wish: TableWish) {
    this.#client = client;
    this.#wish = wish;
  }

  /** Only rows for which this holds; a second one narrows further. */
  where(filter: Filter<Row>): TableQuery<Row> {
    const {where} = this.#wish;
    return this.#with({where: (where ? {and: [where, filter]} : filter) as Filter});
  }

  /** Only these columns. */
  columns<Name extends keyof Row & string>(...columns: Name[]): TableQuery<Pick<Row, Name>> {
    return this.#with({columns}) as unknown as TableQuery<Pick<Row, Name>>;
  }

  /** Only these operations. */
  events(...events: Operation[]): TableQuery<Row> {
    return this.#with({events});
  }

  /** With the former values. */
  old(): TableQuery<Row> {
    return this.#with({old: true});
  }

  /** @internal */
  get limits(): Limits {
    return this.#client.limits;
  }

  /** Tells what happens to these rows; returns its undo. */
  subscribe(observer: TableObserver<Row>, options: SubscribeOptions = {}): () => void {
    const changes = (events: readonly WireEvent[]) => observer.changes?.(events as unknown as readonly Change<Row>[]);
    const rows = observer.rows && ((list: readonly AnyRow[]) => observer.rows!(list as unknown as readonly Row[]));
    return this.#client.follow(this.#wish, sink(observer, changes, rows), options.resume);
  }

  #with(change: Partial<TableWish>): TableQuery<Row> {
    return new TableQuery<Row>(this.#client, {...this.#wish, ...change});
  }
}

/** One channel. */
export class ChannelQuery<Payload> {
  readonly #client: Client;
  readonly #channel: string;

  /** @internal */
  constructor(client: Client, channel: string) {
    this.#client = client;
    this.#channel = channel;
  }

  /** Tells what is published to it; returns its undo. */
  subscribe(observer: ChannelObserver<Payload>, options: SubscribeOptions = {}): () => void {
    const messages = (events: readonly WireEvent[]) => observer.messages?.(events as unknown as readonly Message<Payload>[]);
    return this.#client.follow({channel: this.#channel}, sink(observer, messages), options.resume);
  }
}
