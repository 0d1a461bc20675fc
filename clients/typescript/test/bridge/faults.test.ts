// After every fault the application holds exactly what PostgreSQL committed, once.
import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Client} from '../../src/client.js';
import {transports, type Transport} from '../../src/machine.js';
import type {Signal} from '../../src/platform.js';
import {Bridge, token, type BridgeSettings} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {open} from '../support/open.js';
import {Proxy} from '../support/proxy.js';
import {schema, Witness, work} from '../support/witness.js';
import {until} from '../support/until.js';

async function set(t: TestContext, settings: BridgeSettings = {}) {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database, settings);
  const proxy = await Proxy.start(t, bridge.port);
  return {database, bridge, proxy};
}

const uses = (client: Client, transport: Transport) =>
  until(() => client.status.transport === transport && (client.status.state === 'live' || client.status.state === 'polling'),
    () => `${transport} is wanted, this is: ${JSON.stringify(client.status)}`);

class Storage {
  readonly #kept = new Map<string, string>();
  getItem(key: string): string | null {
    return this.#kept.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#kept.set(key, value);
  }
  removeItem(key: string): void {
    this.#kept.delete(key);
  }
}

// Writes until told to stop, and says when it has.
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

test('a WebSocket that is refused: SSE at once, and WebSocket as soon as it is let through', async (t) => {
  const {database, proxy} = await set(t);
  proxy.websocket = 'refuse';
  const client = open(t, proxy.url);
  const witness = new Witness(client);
  await witness.ready();
  assert.equal(client.status.transport, 'sse');
  const stop = write(database);
  proxy.websocket = 'pass';
  await uses(client, 'websocket');
  await stop();
  await witness.saw(database);
  assert.deepEqual(witness.resets, []);
});

test('a WebSocket that opens and then says nothing: SSE', async (t) => {
  const {database, proxy} = await set(t);
  proxy.websocket = 'mute';
  const client = open(t, proxy.url, {limits: {open: 2000}});
  const witness = new Witness(client);
  await witness.ready();
  await uses(client, 'sse');
  await database.execute(work(20, 1));
  await witness.saw(database);
});

test('a stream that a proxy keeps back: long polling; long polls that are cut short: polling; and up again', async (t) => {
  const {database, proxy} = await set(t);
  Object.assign(proxy, {websocket: 'refuse', sse: 'buffer'});
  const client = open(t, proxy.url, {limits: {open: 2000}});
  const witness = new Witness(client);
  await witness.ready();
  await uses(client, 'longpoll');
  const stop = write(database);
  proxy.longest = 150;
  await stop();
  await uses(client, 'poll'); // when nothing is written, polls are held, and cut
  const goOn = write(database);
  Object.assign(proxy, {websocket: 'pass', longest: Infinity});
  await uses(client, 'websocket');
  await goOn();
  await witness.saw(database);
  assert.deepEqual(witness.resets, []);
});

test('a transport that goes away in the midst of a session is replaced by the next', async (t) => {
  const {database, proxy} = await set(t);
  const client = open(t, proxy.url, {limits: {probe: 60_000}});
  const witness = new Witness(client);
  await witness.ready();
  assert.equal(client.status.transport, 'websocket');
  const stop = write(database);
  proxy.websocket = 'refuse';
  proxy.kill();
  await uses(client, 'sse');
  proxy.sse = 'refuse';
  proxy.kill();
  await uses(client, 'longpoll');
  await stop();
  await witness.saw(database);
  assert.deepEqual(witness.resets, []);
});

for (const transport of transports) {
  test(`${transport}: connections that are cut again and again in the midst of everything`, async (t) => {
    const {database, proxy} = await set(t);
    const client = open(t, proxy.url, {transports: [transport], limits: {poll: 1}});
    const witness = new Witness(client);
    await witness.ready();
    const stop = write(database);
    // At any moment, also before it is back; and so often that it was back several times, however slow this machine is.
    for (let cut = 0; cut < 15 || client.statistics().connections < 5; ++cut) {
      await sleep(40 + 17 * (cut % 5) + 2 * cut);
      proxy.kill();
    }
    await stop();
    await witness.saw(database);
    assert.deepEqual(witness.resets, []);
  });

  test(`${transport}: the bridge is restarted, gracefully and not`, async (t) => {
    const {database, bridge} = await set(t);
    const client = open(t, bridge.url, {transports: [transport]});
    const witness = new Witness(client);
    await witness.ready();
    const stop = write(database);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const before = client.statistics().connections;
      await bridge.stop(signal);
      await until(() => client.status.state !== 'live' && client.status.state !== 'polling', () => client.status.state);
      await bridge.start();
      await until(() => client.statistics().connections > before, () => JSON.stringify(client.status));
    }
    await stop();
    await witness.saw(database);
    assert.deepEqual(witness.resets, []);
  });

  test(`${transport}: tokens that last for seconds are renewed, one question at a time`, async (t) => {
    const {database, proxy} = await set(t, {anonymous: false, grace: '1s'});
    const began = Date.now();
    let asked = 0;
    let asking = 0;
    const client = open(t, proxy.url, {
      transports: [transport],
      token: async () => {
        ++asked;
        assert.equal(++asking, 1, 'one question at a time');
        await sleep(20);
        --asking;
        return token('7', {expires: asked === 1 ? -60 : 2}); // the first one has expired already
      },
    });
    const states = new Set<string>();
    client.onStatus(({state}) => states.add(state));
    const witness = new Witness(client);
    await witness.ready();
    assert.ok(states.has('reauthenticating'), [...states].join());
    const stop = write(database);
    await until(() => asked >= 5, () => `asked ${asked} times`);
    await stop();
    await witness.saw(database);
    // One that lasts for two seconds is good for one, and there may be a refused one to each.
    assert.ok(asked < 5 + (Date.now() - began) / 500, `asked ${asked} times`);
    assert.deepEqual(witness.resets, []);
  });

  test(`${transport}: a cursor that is of no use is a reset, and what comes after it is told`, async (t) => {
    const {database, bridge} = await set(t);
    const storage = new Storage();
    storage.setItem('rowcast:items', 'not-a-cursor');
    const client = open(t, bridge.url, {transports: [transport], storage});
    const witness = new Witness(client, undefined, {resume: 'items'});
    await witness.ready();
    assert.deepEqual(witness.resets, ['cursor_malformed']);
    await database.execute(work(10, 1));
    await witness.saw(database);
  });

  test(`${transport}: what is committed while the page is reloaded is told afterwards`, async (t) => {
    const {database, bridge} = await set(t);
    const storage = new Storage();
    const before = open(t, bridge.url, {transports: [transport], storage});
    const first = new Witness(before, undefined, {resume: 'items'});
    await first.ready();
    await database.execute('insert into items values (1, \'a\', 1)');
    await first.saw(database);
    before.close();
    const [{last}] = (await database.rows<{last: string}>('select max(id)::text as last from rowcast.change_log')) as [{last: string}];
    await database.execute(work(30, 1));
    const second = new Witness(open(t, bridge.url, {transports: [transport], storage}), undefined, {resume: 'items'});
    await second.saw(database, `id > ${last}`);
    assert.deepEqual(second.resets, []);
  });

  test(`${transport}: after a resync it is subscribed anew, and not again and again`, async (t) => {
    const database = await Database.create(t, schema);
    await database.execute(`create table parts (id int primary key, value int) partition by range (id);
      create table parts_low partition of parts for values from (0) to (100);
      select rowcast.watch('public.parts', notify => true)`);
    const bridge = await Bridge.start(t, database, {rules: 'tables: {public.parts: [{roles: [anonymous]}], public.items: [{roles: [anonymous]}]}'});
    const client = open(t, bridge.url, {transports: [transport]});
    const other = new Witness(client);
    const resets: string[] = [];
    const came: unknown[] = [];
    let live = false;
    client.table('public.parts').subscribe({live: () => (live = true), reset: (reason) => resets.push(reason), changes: (changes) => came.push(...changes.map(({key}) => key))});
    await other.ready();
    await until(() => live, () => JSON.stringify(client.status));
    await database.execute(`create table parts_high (id int primary key, value int); insert into parts_high values (150, 1);
      alter table parts attach partition parts_high for values from (100) to (200)`);
    await until(() => resets.length > 0, () => 'no reset');
    // It may take a moment until it is in its place again: what is told is told once.
    await until(async () => {
      await database.execute('update parts set value = value + 1 where id = 150');
      return came.length > 0;
    }, () => 'nothing is told after the reset');
    assert.equal(resets.length, 1, resets.join());
    await database.execute(work(10, 1));
    await other.saw(database);
    assert.deepEqual(other.resets, []);
  });
}

test('a WebSocket through which nothing goes any more is noticed, and what was missed comes', async (t) => {
  const {database, proxy} = await set(t, {heartbeat: '1s'});
  const client = open(t, proxy.url);
  const witness = new Witness(client);
  await witness.ready();
  const connections = client.statistics().connections;
  proxy.freeze();
  await database.execute(work(20, 1));
  await until(() => client.statistics().connections > connections, () => JSON.stringify(client.status));
  await witness.saw(database);
});

test('without a network it waits, and is back as soon as the network is', async (t) => {
  const {database, bridge} = await set(t);
  let tell: (signal: Signal) => void = () => {};
  const client = open(t, bridge.url, {limits: {backoff: 60_000, backoffMost: 60_000}, watch: (call) => {
    tell = call;
    return () => {};
  }});
  const witness = new Witness(client);
  await witness.ready();
  tell('offline');
  assert.equal(client.status.state, 'offline');
  await database.execute(work(20, 1));
  assert.equal(witness.changes.length, 0);
  tell('online');
  await witness.saw(database);
});

test('a laptop that slept: its connection is dead, and that is seen when somebody looks', async (t) => {
  const {database, proxy} = await set(t, {heartbeat: '60s'});
  let tell: (signal: Signal) => void = () => {};
  const client = open(t, proxy.url, {limits: {answer: 500}, watch: (call) => {
    tell = call;
    return () => {};
  }});
  const witness = new Witness(client);
  await witness.ready();
  tell('hidden');
  proxy.freeze();
  await database.execute(work(20, 1));
  tell('visible');
  await witness.saw(database);
});

test('when the last subscription leaves the connection goes, and the next one brings it back', async (t) => {
  const {bridge, database} = await set(t);
  const client = open(t, bridge.url);
  const first = new Witness(client);
  await first.ready();
  first.stop();
  await until(() => client.status.state === 'idle', () => client.status.state);
  const second = new Witness(client);
  await second.ready();
  await database.execute(work(5, 1));
  await second.saw(database);
  assert.equal(first.changes.length, 0);
});
