import assert from 'node:assert/strict';
import test from 'node:test';
import {transports, type Transport} from '../../src/machine.js';
import type {Message} from '../../src/protocol.js';
import {Bridge, token} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {open} from '../support/open.js';
import {schema, Witness, work, type Item} from '../support/witness.js';
import {until} from '../support/until.js';

for (const transport of transports) {
  test(`${transport}: everything that was committed comes once, in whole transactions`, async (t) => {
    const database = await Database.create(t, schema);
    const bridge = await Bridge.start(t, database);
    const client = open(t, bridge.url, {transports: [transport]});
    const witness = new Witness(client);
    await witness.ready();
    assert.equal(client.status.transport, transport);
    assert.equal(client.status.state, transport === 'websocket' || transport === 'sse' ? 'live' : 'polling');
    await Promise.all([1, 2, 3].map((seed) => database.execute(work(60, seed))));
    await witness.saw(database);
    assert.deepEqual(witness.resets, []);
  });

  test(`${transport}: subscriptions that come and go at any time each get their own`, async (t) => {
    const database = await Database.create(t, schema);
    const bridge = await Bridge.start(t, database);
    const client = open(t, bridge.url, {transports: [transport], token: () => token('7')});
    const all = new Witness(client);
    await all.ready();
    const odd = new Witness(client, client.table<Item>('public.items').where({id: {in: [1, 3, 5]}}).columns('id', 'value') as never);
    await odd.ready();
    const messages: Message[] = [];
    let listening = false;
    const leave = client.channel('room:1').subscribe({live: () => (listening = true), messages: (list) => messages.push(...list)});
    await until(() => listening, () => 'the channel is not live');
    await database.execute(`
      insert into items select i, 'a', 0 from generate_series(1, 6) i;
      select rowcast.publish('room:1', 'typing', '{"user": 7}');
      select rowcast.publish('room:2', 'typing', '{"user": 8}');`);
    await all.saw(database);
    await until(() => odd.changes.length >= 3 && messages.length >= 1, () => `${odd.changes.length} ${messages.length}`);
    assert.deepEqual(odd.changes.map(({row}) => row), [1, 3, 5].map((id) => ({id, value: 0})));
    assert.deepEqual(messages.map(({channel, event, payload}) => [channel, event, payload]), [['room:1', 'typing', {user: 7}]]);
    leave();
    odd.stop();
    await database.execute(`update items set value = 1; select rowcast.publish('room:1', 'typing', '{}');`);
    await all.saw(database);
    assert.equal(odd.changes.length, 3);
    assert.equal(messages.length, 1);
  });

  test(`${transport}: a transaction of many pages is handed over at once`, async (t) => {
    const database = await Database.create(t, schema);
    const bridge = await Bridge.start(t, database);
    const client = open(t, bridge.url, {transports: [transport]});
    const witness = new Witness(client);
    await witness.ready();
    await database.execute(`insert into items select i, repeat('x', 200), 0 from generate_series(1, 20000) i; insert into items values (0, 'b', 0)`);
    await witness.saw(database);
  });
}

test('what cannot be asked for is told to its own subscription, and to no other', async (t) => {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database);
  for (const transport of transports) {
    const client = open(t, bridge.url, {transports: [transport]});
    const good = new Witness(client);
    const bad = new Witness(client, client.table<Item>('public.nothing'));
    const worse = new Witness(client, client.table<Item>('public.items').where({nothing: 1} as never));
    await good.ready();
    await until(() => bad.error !== undefined && worse.error !== undefined, () => `${transport}: ${bad.error} ${worse.error}`);
    assert.equal((bad.error as {code?: string}).code, 'unknown_table', transport);
    assert.equal((worse.error as {code?: string}).code, 'unknown_column', transport);
    assert.equal(good.error, undefined);
  }
});

test('every filter means the same over WebSocket and in a URL', async (t) => {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database);
  const filters = [
    {owner: 'a b,c'}, {owner: ''}, {owner: {in: ['', 'say "hi"', '(x)']}}, {owner: {like: 'a%'}}, {not: {owner: 'a.b', value: 1}},
    {or: [{id: {lt: 3}}, {and: [{value: {gte: 2}}, {owner: {neq: 'a\\b'}}]}]}, {value: {nin: [0, 1]}}, {owner: {like: 'é%'}}, {id: {gt: 2, lte: 4}},
  ];
  const told: Record<string, number[][]> = {};
  const clients = (['websocket', 'longpoll'] as Transport[]).map((transport) => {
    const client = open(t, bridge.url, {transports: [transport]});
    return {transport, witnesses: filters.map((filter) => new Witness(client, client.table<Item>('public.items').where(filter as never))), end: new Witness(client)};
  });
  for (const {witnesses, end} of clients) for (const each of [...witnesses, end]) await each.ready();
  await database.execute(`insert into items values (1, 'a b,c', 0), (2, '', 1), (3, 'say "hi"', 2), (4, '(x)', 3), (5, 'a.b', 1), (6, 'a\\b', 2), (7, 'été', 0)`);
  for (const {transport, witnesses, end} of clients) {
    await end.saw(database);
    told[transport] = witnesses.map(({changes}) => changes.map(({key}) => key!.id!));
  }
  assert.deepEqual(told['longpoll'], told['websocket']);
  assert.ok(told['websocket']!.every((ids) => ids.length > 0 && ids.length < 7), JSON.stringify(told['websocket']));
});

test('the server decides which transports are offered', async (t) => {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database, {rollout: '{websocket: 0, sse: 100}'});
  const client = open(t, bridge.url);
  const witness = new Witness(client);
  await witness.ready();
  assert.equal(client.status.transport, 'sse');
});

test('the application may force polling, and let go again, from the same cursor', async (t) => {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database);
  const client = open(t, bridge.url);
  const witness = new Witness(client);
  await witness.ready();
  const writing = database.execute(work(300, 1));
  for (const transport of ['poll', 'sse', 'longpoll', 'websocket'] as const) {
    client.use([transport]);
    await until(() => client.status.transport === transport && ['live', 'polling'].includes(client.status.state), () => JSON.stringify(client.status));
  }
  await writing;
  await witness.saw(database);
  assert.deepEqual(witness.resets, []);
});
