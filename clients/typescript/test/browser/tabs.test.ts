// Several tabs on one connection, in a real browser: whatever becomes of the one that has it, the others are told everything, once.
import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import type {Page} from 'playwright-core';
import {Bridge, token} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {serve} from '../support/page.js';
import {Proxy} from '../support/proxy.js';
import {until} from '../support/until.js';
import {schema, work} from '../support/witness.js';

const script = (url: string, beat: number) => `
  const limits = {backoff: 100, backoffMost: 1000, probe: 500, probeMost: 1000, linger: 100, open: 30_000};
  const who = new URLSearchParams(location.hash.slice(1)).get('user') ?? '7';
  const client = window.client = rowcast.connect({url: '${url}', limits, tabs: {beat: ${beat}}, token: () => window.token(who)});
  window.came = [];
  window.resets = 0;
  window.stop = client.table('public.items').subscribe({
    live: () => (window.live = true),
    reset: () => ++window.resets,
    changes: (changes) => window.came.push(...changes.map(({id}) => id)),
  });`;

// A leader that is slow, as everything is on a busy machine, is to keep its place where nobody is frozen.
async function set(t: TestContext, beat = 60_000) {
  const database = await Database.create(t, schema);
  let target = '';
  const site = await serve(t, () => script(target, beat), './src/tabs.ts');
  const bridge = await Bridge.start(t, database, {origins: [site.origin], anonymous: false});
  const proxy = await Proxy.start(t, bridge.port);
  target = proxy.url;
  const user = await site.user();
  await user.exposeFunction('token', (subject: string) => token(subject));
  const open = async (hash = '') => {
    const page = await site.open((opening) => opening.addInitScript(`location.hash = ${JSON.stringify(hash)}`).then(() => {}), user);
    await page.waitForFunction('window.live');
    return page;
  };
  return {database, bridge, proxy, open};
}

/** Everything that was committed to the table has come to a tab, once. */
async function saw(page: Page, database: Database, after = '0'): Promise<void> {
  const logged = await database.rows<{id: number}>(`select id from rowcast.change_log where table_name = 'public.items' and id > ${after} order by id`);
  let came: string[] = [];
  await until(async () => {
    came = (await page.evaluate('came')) as string[];
    return came.length >= logged.length;
  }, () => `${came.length} of ${logged.length} changes`);
  assert.deepEqual(came.map(Number).sort((a, b) => a - b), logged.map(({id}) => id));
  assert.equal(await page.evaluate('resets'), 0);
}

test('three tabs have one connection, and it goes to the next when its tab is closed or crashes in the midst of it all', async (t) => {
  const {database, proxy, open} = await set(t);
  const first = await open();
  const second = await open();
  const third = await open();
  assert.equal(proxy.count('/v1/ws'), 1);

  const writing = database.execute(work(200, 1));
  await first.waitForFunction('came.length > 20');
  await first.close();
  await writing;
  for (const page of [second, third]) await saw(page, database);
  assert.equal(proxy.count('/v1/ws'), 2);

  const more = database.execute(work(200, 2));
  await third.waitForFunction(`came.length > ${await third.evaluate('came.length') as number + 20}`);
  const crashed = second.waitForEvent('crash');
  const devtools = await second.context().newCDPSession(second);
  devtools.send('Page.crash').catch(() => {}); // nobody is there to answer
  await crashed;
  await more;
  await saw(third, database);
  assert.equal(proxy.count('/v1/ws'), 3);

  const [{last}] = (await database.rows<{last: string}>('select max(id)::text as last from rowcast.change_log')) as [{last: string}];
  const fourth = await open();
  await database.execute(work(20, 3));
  await saw(third, database);
  await saw(fourth, database, last);
  assert.equal(proxy.count('/v1/ws'), 3);
});

test('a tab that is frozen does not hold the others up, and has missed nothing when it comes back', async (t) => {
  const {database, open} = await set(t, 200);
  const first = await open();
  const second = await open();
  const devtools = await first.context().newCDPSession(first);
  await devtools.send('Debugger.enable');
  await devtools.send('Debugger.pause');
  await database.execute(work(50, 1));
  await saw(second, database);
  await devtools.send('Debugger.disable');
  await saw(first, database);
  await database.execute(work(50, 2));
  for (const page of [first, second]) await saw(page, database);
});

test('tabs of different users share nothing', async (t) => {
  const {database, proxy, open} = await set(t);
  const pages = [await open('user=7'), await open('user=8'), await open('user=7'), await open('user=8')];
  assert.equal(proxy.count('/v1/ws'), 2);
  await database.execute(work(20, 1));
  for (const page of pages) await saw(page, database);
});

test('through a lost line, a bridge that was killed and event streams, all tabs are told everything', async (t) => {
  const {database, proxy, bridge, open} = await set(t);
  const pages = [await open(), await open()];
  const faults = [
    () => proxy.kill(),
    async () => {
      await bridge.stop('SIGKILL');
      await bridge.start();
    },
    () => {
      proxy.websocket = 'refuse';
      proxy.kill();
    },
    () => {
      proxy.websocket = 'pass';
    },
  ];
  for (const [index, happens] of faults.entries()) {
    const writing = database.execute(work(60, index + 1));
    await happens();
    await writing;
    for (const page of pages) await saw(page, database);
  }
  for (const page of pages) await page.waitForFunction(`client.status.transport === 'websocket' && client.status.state === 'live'`);
});

test('when no tab wants anything the connection goes, and one that comes back makes another', async (t) => {
  const {database, proxy, open} = await set(t);
  const pages = [await open(), await open()];
  for (const page of pages) await page.evaluate('stop()');
  for (const page of pages) await page.waitForFunction(`client.status.state === 'idle'`);
  await pages[0]!.waitForFunction('navigator.locks.query().then(({held}) => held.length === 0)');
  const page = await open();
  assert.equal(proxy.count('/v1/ws'), 2);
  await database.execute(work(5, 1));
  await saw(page, database);
});
