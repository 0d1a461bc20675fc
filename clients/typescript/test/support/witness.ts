// What one subscription was told, held against what PostgreSQL committed.
import assert from 'node:assert/strict';
import type {Client} from '../../src/client.js';
import type {Change} from '../../src/protocol.js';
import type {SubscribeOptions, TableQuery} from '../../src/query.js';
import type {Database} from './database.js';
import {until} from './until.js';

export interface Item {
  readonly id: number;
  readonly owner: string;
  readonly value: number;
}

export const schema = `
  create table items (id int primary key, owner text not null, value int not null);
  create table notes (id int primary key, body text);
  select rowcast.watch('public.items', notify => true);
  select rowcast.watch('public.notes', notify => true);
`;

interface Logged {
  readonly id: string;
  readonly tx: string;
}

export class Witness {
  readonly batches: Change<Item>[][] = [];
  readonly resets: string[] = [];
  live = false;
  error: Error | undefined;
  stop: () => void;

  constructor(readonly client: Client, query: TableQuery<Item> = client.table<Item>('public.items'), options: SubscribeOptions = {}) {
    this.stop = query.subscribe({
      changes: (changes) => void this.batches.push([...changes]),
      reset: (reason) => void this.resets.push(reason),
      live: () => void (this.live = true),
      error: (error) => void (this.error = error),
    }, options);
  }

  async ready(): Promise<void> {
    await until(() => {
      if (this.error) throw this.error;
      return this.live;
    }, () => `the subscription is not live: ${JSON.stringify(this.client.status)}`);
  }

  get changes(): Change<Item>[] {
    return this.batches.flat();
  }

  /** Waits until everything of the change log (that `where` is true for) has come, and checks that it came once, whole and in order. */
  async saw(database: Database, where = 'true'): Promise<void> {
    const logged = await database.rows<Logged>(
      `select id::text, xid::text as tx from rowcast.change_log where table_name = 'public.items' and op <> 'RESYNC' and ${where} order by id`);
    const came = () => new Set(this.changes.map(({id}) => id));
    const missing = () => {
      const here = came();
      return logged.filter(({id}) => !here.has(id));
    };
    await until(() => missing().length === 0, () => {
      return `${missing().length} of ${logged.length} changes, ${missing().slice(0, 5).map(({id}) => id).join()}; ${JSON.stringify(this.client.status)} ${JSON.stringify(this.client.statistics())}`;
    });
    const {changes} = this;
    assert.equal(changes.length, came().size, 'nothing came twice');
    assert.deepEqual(came(), new Set(logged.map(({id}) => id)), 'nothing came that was not committed');
    this.#wasWhole(logged);
    this.#wasInOrder();
  }

  #wasWhole(logged: readonly Logged[]): void {
    const size = new Map<string, number>();
    for (const {tx} of logged) size.set(tx, (size.get(tx) ?? 0) + 1);
    for (const batch of this.batches) {
      const here = new Map<string, number>();
      for (const {tx} of batch) here.set(tx, (here.get(tx) ?? 0) + 1);
      for (const [tx, count] of here) assert.equal(count, size.get(tx), `transaction ${tx} was handed over at once`);
    }
  }

  // The changes of one row are in the order in which they were made.
  #wasInOrder(): void {
    const last = new Map<number, bigint>();
    for (const {id, key} of this.changes) {
      const row = key!.id!;
      assert.ok(BigInt(id) > (last.get(row) ?? 0n), `row ${row}: change ${id} after ${last.get(row)}`);
      last.set(row, BigInt(id));
    }
  }
}

/** Statements that change rows, many in one transaction and few in the next; those of another seed are about other rows. */
export function work(transactions: number, seed: number): string {
  let state = seed;
  const random = (below: number) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
  const statements: string[] = [];
  for (let each = 0; each < transactions; ++each) {
    const [low, from] = [seed * 1000, seed * 1000 + random(40)];
    statements.push(`begin;
      insert into items select i, 'a', 0 from generate_series(${from}, ${from + random(20)}) i on conflict (id) do update set value = items.value + 1;
      update items set value = value + 1 where id = ${low + random(60)};
      delete from items where id = ${low + random(60)};
      ${random(5) === 0 ? 'rollback' : 'commit'};`);
  }
  return statements.join('\n');
}
