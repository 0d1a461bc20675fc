// Rows of a table as they are, kept current: a replica by key, in an order, that tells what has become different.
import type {Client} from '../client.js';
import {asError, RowcastError} from '../problem.js';
import {protect} from '../protect.js';
import type {AnyRow, Change, Filter} from '../protocol.js';
import {comparator, reorder, type Move, type Named, type OrderBy} from './order.js';
import {Overlay, type Write} from './overlay.js';

/** Which rows of a table, and in which order. */
export interface LiveOptions<Row> {
  /** The columns of the key (`rowcast.watch` says which); `id` by default. */
  readonly key?: (keyof Row & string) | readonly (keyof Row & string)[];
  readonly where?: Filter<Row>;
  /** Only these columns; those of the key and of `orderBy` among them. */
  readonly columns?: readonly (keyof Row & string)[];
  /** By key, where this says nothing. */
  readonly orderBy?: OrderBy<Row>;
  /**
   * When what has come is shown: calls once, soon. The next animation frame in a browser, so that a thousand changes a second are sixty
   * pictures; the next turn elsewhere.
   */
  readonly schedule?: (show: () => void) => void;
  /** How long a write that was answered waits for its change, in milliseconds, before the replica counts as right; 5000 by default. */
  readonly confirm?: number;
}

/** What can be seen of a collection at one moment; a new object whenever something of it has changed. */
export interface LiveSnapshot<Row> {
  /** In order. The rows that have not changed are the same objects as before, and none of them is ever written to. */
  readonly rows: readonly Row[];
  /** `loading`: the rows have not been read yet. `failed`: they cannot be, see `error`. */
  readonly state: 'loading' | 'ready' | 'failed';
  readonly error: RowcastError | undefined;
}

/** What has become different; of several changes of a row, only what is left of them in the end. */
export interface LiveChange<Row> {
  readonly inserted: readonly Row[];
  readonly updated: readonly Row[];
  readonly removed: readonly Row[];
}

/** What the application's own server answers to a write; all of it is optional. */
export interface Written<Row> {
  /** The key that the database made. */
  readonly key?: Partial<Row>;
  /** `pg_current_xact_id()` of the transaction, with which the change is recognised for certain. */
  readonly tx?: string;
}

type Values<Row> = Partial<Row> | string | number | bigint;

const nextFrame = (show: () => void) => {
  const frames = globalThis as {requestAnimationFrame?: (call: () => void) => number};
  if (!frames.requestAnimationFrame) {
    queueMicrotask(show);
    return;
  }
  // A page that nobody looks at has no frames.
  let shown = false;
  const once = () => {
    if (!shown) show();
    shown = true;
  };
  frames.requestAnimationFrame(once);
  setTimeout(once, 250);
};

/** A collection of rows that follows a table while anybody listens to it. Made by `live`. */
export class Collection<Row extends object = AnyRow> {
  readonly #client: Client;
  readonly #table: string;
  readonly #options: LiveOptions<Row>;
  readonly #key: readonly (keyof Row & string)[];
  readonly #compare: (a: Row, b: Row) => number;
  readonly #listeners = new Set<(change: LiveChange<Row>) => void>();
  readonly #overlay = new Overlay<Row>();
  /** What PostgreSQL has said. */
  #replica = new Map<string, Row>();
  /** What is shown: the replica under the overlay, as of the last time. */
  readonly #shown = new Map<string, Named<Row>>();
  #order: readonly Named<Row>[] = [];
  readonly #touched = new Set<string>();
  #snapshot: LiveSnapshot<Row> = {rows: [], state: 'loading', error: undefined};
  #next: Pick<LiveSnapshot<Row>, 'state' | 'error'> = {state: 'loading', error: undefined};
  #scheduled = false;
  #drafts = 0;
  #stop: (() => void) | undefined;

  /** @internal */
  constructor(client: Client, table: string, options: LiveOptions<Row>) {
    this.#client = client;
    this.#table = table;
    this.#options = options;
    this.#key = [options.key ?? ('id' as keyof Row & string)].flat() as (keyof Row & string)[];
    this.#compare = comparator(options.orderBy);
  }

  /** What is there. The same object until something changes. */
  get snapshot(): LiveSnapshot<Row> {
    return this.#snapshot;
  }

  /** The rows of `snapshot`. */
  get rows(): readonly Row[] {
    return this.#snapshot.rows;
  }

  /** Whether anybody listens. */
  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  /** One row, by its key: `get(7)`, `get({source: 'a', seq: 1})`. */
  get(key: Values<Row>): Row | undefined {
    return this.#shown.get(this.#name(key))?.row;
  }

  /** Follows the table, and calls whenever `snapshot` is another one; returns its undo. With the last one the table is left. */
  subscribe(listener: (change: LiveChange<Row>) => void): () => void {
    const own = (change: LiveChange<Row>) => listener(change);
    this.#listeners.add(own);
    this.#stop ??= this.#follow();
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  /**
   * Shows a row at once, and has `send` write it. If that fails the row is gone again, and the promise rejects. Otherwise the row that
   * PostgreSQL has takes its place: by its key if `values` has it or `send` returns it, else by its values.
   */
  insert(values: Partial<Row>, send: () => Promise<Written<Row> | void>): Promise<void> {
    const complete = this.#key.every((column) => values[column] !== undefined);
    const name = complete ? this.#name(values) : `draft ${++this.#drafts}`;
    return this.#write(this.#overlay.add('insert', name, values, !complete), send);
  }

  /** Shows other values at once, and has `send` write them. If that fails the former ones are back, and the promise rejects. */
  update(key: Values<Row>, values: Partial<Row>, send: () => Promise<Written<Row> | void>): Promise<void> {
    return this.#write(this.#overlay.add('update', this.#name(key), values), send);
  }

  /** Hides a row at once, and has `send` delete it. If that fails it is back, and the promise rejects. */
  remove(key: Values<Row>, send: () => Promise<Written<Row> | void>): Promise<void> {
    return this.#write(this.#overlay.add('remove', this.#name(key), {}), send);
  }

  #follow(): () => void {
    const {where, columns} = this.#options;
    let query = this.#client.table<Row>(this.#table);
    if (where) query = query.where(where);
    if (columns) query = query.columns(...columns) as unknown as typeof query;
    return query.subscribe({
      rows: (rows) => this.#orFail(() => this.#read(rows)),
      changes: (changes) => this.#orFail(() => changes.forEach((change) => this.#apply(change))),
      error: (error) => this.#fail(error),
    });
  }

  #orFail(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#stop?.();
      this.#fail(asError(error));
    }
  }

  #fail(error: RowcastError): void {
    this.#next = {state: 'failed', error};
    this.#show();
  }

  #name(key: Values<Row>): string {
    const values = typeof key === 'object' ? this.#key.map((column) => key[column]) : [key];
    return values.length === 1 ? String(values[0]) : JSON.stringify(values);
  }

  #read(rows: readonly Row[]): void {
    const before = this.#replica;
    this.#replica = new Map(rows.map((row) => [this.#name(this.#checkKey(row)), row]));
    for (const name of [...before.keys(), ...this.#replica.keys(), ...this.#overlay.reread()]) this.#touched.add(name);
    this.#next = {state: 'ready', error: undefined};
    this.#show();
  }

  #apply(change: Change<Row>): void {
    if (change.op === 'TRUNCATE') {
      for (const name of this.#replica.keys()) this.#touched.add(name);
      this.#replica.clear();
    } else {
      const name = this.#name(this.#checkKey(change.key ?? {}));
      if (change.op === 'DELETE') this.#replica.delete(name);
      // A row that was too large for the log comes, as it is read, with its key alone.
      else this.#replica.set(name, (change.row ?? change.key) as Row);
      this.#touched.add(name);
      for (const other of this.#overlay.arrived(name, change)) this.#touched.add(other);
    }
    this.#show();
  }

  #checkKey(values: Partial<Row>): Partial<Row> {
    if (this.#key.every((column) => column in values)) return values;
    throw new RowcastError('wrong_key', `${this.#table} has ${Object.keys(values)}, and no key ${this.#key}: say with 'key' which columns it is`);
  }

  async #write(write: Write<Row>, send: () => Promise<Written<Row> | void>): Promise<void> {
    this.#touch(write.name);
    let written;
    try {
      written = await send();
    } catch (error) {
      this.#settle(write);
      throw error;
    }
    const {key, tx} = written ?? {};
    write.answered = true;
    if (tx !== undefined) write.tx = tx;
    if (write.draft && key) this.#rename(write, this.#name(key));
    if (this.#overlay.has(tx) || this.#isDone(write)) this.#settle(write);
    else this.#client.after(this.#options.confirm ?? 5000, () => this.#settle(write));
  }

  // What is there already needs no confirmation.
  #isDone({kind, name}: Write<Row>): boolean {
    return kind === 'insert' ? this.#replica.has(name) : kind === 'remove' && !this.#replica.has(name);
  }

  #rename(write: Write<Row>, name: string): void {
    this.#touch(write.name);
    write.name = name;
    this.#touch(name);
  }

  #settle(write: Write<Row>): void {
    if (this.#overlay.remove(write)) this.#touch(write.name);
  }

  #touch(name: string): void {
    this.#touched.add(name);
    this.#show();
  }

  #show(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    (this.#options.schedule ?? nextFrame)(() => {
      this.#scheduled = false;
      this.#showNow();
    });
  }

  #showNow(): void {
    const moves: Move<Row>[] = [];
    const change = {inserted: [] as Row[], updated: [] as Row[], removed: [] as Row[]};
    for (const name of this.#touched) {
      const before = this.#shown.get(name);
      const row = this.#overlay.view(name, this.#replica.get(name));
      if (row === before?.row || (row && before && alike(row, before.row))) continue;
      const after = row && {name, row};
      moves.push({...(before && {before}), ...(after && {after})});
      if (after) {
        this.#shown.set(name, after);
        (before ? change.updated : change.inserted).push(after.row);
      } else {
        this.#shown.delete(name);
        change.removed.push(before!.row);
      }
    }
    this.#touched.clear();
    const {state, error} = this.#next;
    if (moves.length === 0 && state === this.#snapshot.state && error === this.#snapshot.error) return;
    if (moves.length > 0) this.#order = reorder(this.#order, moves, this.#compare);
    this.#snapshot = {rows: moves.length > 0 ? this.#order.map(({row}) => row) : this.#snapshot.rows, state, error};
    for (const listener of [...this.#listeners]) protect(() => listener(change));
  }
}

// Both are JSON.
function alike<Row extends object>(a: Row, b: Row): boolean {
  const columns = Object.keys(a) as (keyof Row)[];
  return columns.length === Object.keys(b).length && columns.every((column) =>
    a[column] === b[column] || (typeof a[column] === 'object' && JSON.stringify(a[column]) === JSON.stringify(b[column])));
}

/** The rows of a table that are true for `where`, kept current, with writes that are seen at once. */
export const live = <Row extends object = AnyRow>(client: Client, table: string, options: LiveOptions<Row> = {}): Collection<Row> =>
  new Collection<Row>(client, table, options);
