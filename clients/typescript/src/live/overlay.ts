// What the application has done and PostgreSQL has not confirmed yet, laid over what PostgreSQL has said; pure.
import type {Change} from '../protocol.js';

export type Write<Row> = {
  readonly kind: 'insert' | 'update' | 'remove';
  readonly values: Partial<Row>;
  /** The row's name. Of an insert whose key the database makes: a made-up one, until it is known. */
  name: string;
  readonly draft: boolean;
  /** The application's server has said that it is done. */
  answered: boolean;
  /** And in which transaction. */
  tx?: string;
};

/** So many transactions are remembered, for answers that come later than their change. */
const remembered = 1000;

export class Overlay<Row extends object> {
  #writes: Write<Row>[] = [];
  #transactions = new Set<string>();

  add(kind: Write<Row>['kind'], name: string, values: Partial<Row>, draft = false): Write<Row> {
    const write = {kind, name, values, draft, answered: false};
    this.#writes.push(write);
    return write;
  }

  /** Confirmed or rolled back; false: it had been already. */
  remove(write: Write<Row>): boolean {
    const before = this.#writes.length;
    this.#writes = this.#writes.filter((each) => each !== write);
    return this.#writes.length < before;
  }

  /** A row as the application is to see it. */
  view(name: string, row: Row | undefined): Row | undefined {
    let out = row;
    for (const {kind, values, name: own} of this.#writes) {
      if (own !== name) continue;
      if (kind === 'remove') out = undefined;
      else if (kind === 'insert' || out) out = {...out, ...values} as Row;
    }
    return out;
  }

  /** A change has come, and with it what was waiting for it: the names that look different now, besides its own. */
  arrived(name: string, {op, row, tx}: Change<Row>): string[] {
    if (this.#writes.length === 0) return [];
    this.#remember(tx);
    const own = this.#writes.filter((write) => write.name === name && (write.tx !== undefined ? write.tx === tx : write.answered || fits(write, op, row)));
    const draft = op === 'INSERT' ? this.#writes.find((write) => write.draft && write.name !== name && fits(write, op, row)) : undefined;
    const done = draft ? [...own, draft] : own;
    for (const write of done) this.remove(write);
    return done.map((write) => write.name);
  }

  /** Rows have been read anew: what was answered before is in them. The names that look different. */
  reread(): string[] {
    const done = this.#writes.filter(({answered}) => answered);
    for (const write of done) this.remove(write);
    return done.map(({name}) => name);
  }

  /** Whether the change of a transaction has been here already. */
  has(tx: string | undefined): boolean {
    return tx !== undefined && this.#transactions.has(tx);
  }

  #remember(tx: string): void {
    this.#transactions.add(tx);
    if (this.#transactions.size > remembered) this.#transactions = new Set([...this.#transactions].slice(-remembered / 2));
  }
}

// Whether a change may be what was written. If it is another's that says the same, nobody sees a difference.
function fits<Row extends object>({kind, values}: Write<Row>, op: Change['op'], row: Row | undefined): boolean {
  if (kind === 'remove' || !row) return kind === 'remove' && op === 'DELETE';
  return Object.entries(values).every(([column, value]) => same(value, row[column as keyof Row]));
}

/** Alike, where numbers may be texts: a `numeric` arrives as it was printed. */
const same = (a: unknown, b: unknown) =>
  a === b || (typeof a === 'object' || typeof b === 'object' ? JSON.stringify(a) === JSON.stringify(b) : String(a) === String(b));
