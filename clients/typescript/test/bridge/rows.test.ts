// The rows that are there and then every change: at any moment what the application holds is what PostgreSQL holds.
import assert from 'node:assert/strict';
import test from 'node:test';
import type {Client} from '../../src/client.js';
import {transports} from '../../src/machine.js';
import type {Change} from '../../src/protocol.js';
import type {TableQuery} from '../../src/query.js';
import {updates} from '../../src/updates.js';
import {Bridge, token} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {open} from '../support/open.js';
import {Proxy} from '../support/proxy.js';
import {until} from '../support/until.js';
import {schema, work, type Item} from '../support/witness.js';

/** A replica that believes nothing: a change that does not fit to what it holds is an error. */
class Replica {
  rows: Map<number, Item> | undefined;
  readings = 0;
  changes = 0;
  error: Error | undefined;
  readonly stop: () => void;

  constructor(client: Client, query: TableQuery<Item> = client.table<Item>('public.items')) {
    this.stop = query.subscribe({
      rows: (rows) => {
        ++this.readings;
        this.rows = new Map(rows.map((row) => [row.id, row]));
      },
      changes: (changes) => changes.forEach((change) => this.#apply(change)),
      error: (error) => (this.error = error),
    });
  }

  #apply({op, key, row, id}: Change<Item>): void {
    ++this.changes;
    const held = this.rows!.has(key!.id!);
    if (held !== (op !== 'INSERT')) this.error ??= new Error(`${op} ${id} of row ${key!.id}, which is ${held ? '' : 'not '}there`);
    if (op === 'DELETE') this.rows!.delete(key!.id!);
    else this.rows!.set(row!.id, row!);
  }

  async ready(): Promise<void> {
    await until(() => {
      if (this.error) throw this.error;
      return this.rows !== undefined;
    }, () => 'no rows');
  }

  async equals(database: Database, where = 'true'): Promise<void> {
    const there = JSON.stringify(await database.rows<Item>(`select id, owner, value from items where ${where} order by id`));
    const here = () => JSON.stringify([...(this.rows ?? new Map<number, Item>()).values()].sort((a, b) => a.id - b.id).map(({id, owner, value}) => ({id, owner, value})));
    await until(() => {
      if (this.error) throw this.error;
      return here() === there;
    }, () => `${here()} instead of ${there}`);
  }
}

function write(database: Database) {
  let going = true;
  const done = (async () => {
    for (let seed = 1; going; ++seed) await database.execute(work(20, seed % 7));
  })();
  return async () => {
    going = false;
    await done;
  };
}

for (const transport of transports) {
  test(`${transport}: rows are read while others write, and every change fits to them`, async (t) => {
    const database = await Database.create(t, schema);
    const bridge = await Bridge.start(t, database);
    const client = open(t, bridge.url, {transports: [transport]});
    const stop = write(database);
    const replicas: Replica[] = [];
    for (let each = 0; each < 6; ++each) {
      replicas.push(new Replica(client, each % 2 ? client.table<Item>('public.items').where({value: {gte: 2}}) : undefined));
      await replicas.at(-1)!.ready();
    }
    await stop();
    for (const [index, replica] of replicas.entries()) await replica.equals(database, index % 2 ? 'value >= 2' : undefined);
    assert.ok(replicas.every(({readings}) => readings === 1), 'each was read once');
    assert.ok(replicas[0]!.changes > 0);
  });

  test(`${transport}: what is stale is read anew: another user's rights, in the midst of it all`, async (t) => {
    const database = await Database.create(t, schema);
    const bridge = await Bridge.start(t, database, {rules: `tables:
  public.items:
    - {roles: [low], where: {value: {lt: 2}}}
    - {roles: [all]}`});
    let roles = ['all'];
    const proxy = await Proxy.start(t, bridge.port);
    const client = open(t, proxy.url, {transports: [transport], limits: {poll: 20}, token: () => token('7', {roles, expires: roles[0] === 'all' ? 4 : 3600})});
    const replica = new Replica(client);
    await replica.ready();
    const stop = write(database);
    await until(() => replica.changes > 0, () => 'no changes');
    roles = ['low'];
    await until(() => replica.readings > 1, () => `${replica.readings} ${JSON.stringify(client.status)}`);
    await stop();
    await replica.equals(database, 'value < 2');
  });
}

test('an iteration gives the rows, then the changes, and ends when it is left', async (t) => {
  const database = await Database.create(t, schema);
  await database.execute(`insert into items values (1, 'a', 1)`);
  const bridge = await Bridge.start(t, database);
  const client = open(t, bridge.url);
  const told: unknown[] = [];
  for await (const update of updates(client.table<Item>('public.items'))) {
    if (update.type === 'rows') {
      told.push(update.rows);
      await database.execute(`update items set value = 2; update items set value = 3`);
    } else if (update.type === 'changes') {
      told.push(...update.changes.map(({row}) => row?.value));
    }
    if (told.length === 3) break;
  }
  assert.deepEqual(told, [[{id: 1, owner: 'a', value: 1}], 2, 3]);
  await until(() => client.status.state === 'idle', () => client.status.state);
});

test('what may not be read is told to who asked, and rows of others come all the same', async (t) => {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database, {rules: 'tables: {public.items: [{roles: [anonymous]}]}'});
  const client = open(t, bridge.url);
  const good = new Replica(client);
  const bad = new Replica(client, client.table<Item>('public.notes'));
  await until(() => bad.error !== undefined, () => 'no error');
  assert.equal((bad.error as {code?: string}).code, 'forbidden');
  await good.equals(database);
});
