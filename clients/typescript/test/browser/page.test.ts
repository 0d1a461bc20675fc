// In a real browser, with real faults of the network: after each, the page shows exactly what PostgreSQL holds.
import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import type {Page} from 'playwright-core';
import {Bridge, token} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {serve} from '../support/page.js';
import {Proxy} from '../support/proxy.js';
import {until} from '../support/until.js';
import {schema, work, type Item} from '../support/witness.js';

const script = (url: string, extra = '') => `
  const limits = {backoff: 100, backoffMost: 1000, probe: 500, probeMost: 1000, open: 2000, longPoll: 2000, answer: 1000, stable: 200};
  const client = window.client = rowcast.connect({url: '${url}', limits, token: async () => (window.fresh ? window.fresh() : ${JSON.stringify(token('7'))})});
  const items = window.items = rowcast.live(client, 'public.items', {orderBy: 'id'});
  const draw = () => {
    document.querySelector('ul').replaceChildren(...items.rows.map(({id, owner, value}) => {
      const li = document.createElement('li');
      li.textContent = [id, owner, value].join(' ');
      return li;
    }));
    window.firstRow ??= items.rows.length > 0 ? performance.now() : undefined;
  };
  client.onStatus(({state, transport}) => (document.querySelector('p').textContent = state + ' ' + transport));
  ${extra || 'items.subscribe(draw);'}
`;

async function set(t: TestContext, extra?: string, heartbeat = '1s') {
  const database = await Database.create(t, schema);
  await database.execute(work(20, 1));
  let target = '';
  const site = await serve(t, () => script(target, extra));
  const bridge = await Bridge.start(t, database, {origins: [site.origin], anonymous: false, heartbeat});
  const proxy = await Proxy.start(t, bridge.port);
  target = proxy.url;
  return {database, bridge, proxy, site};
}

const says = (page: Page, status: string) => page.locator('p', {hasText: status}).waitFor({timeout: 30_000});

async function shows(page: Page, database: Database): Promise<void> {
  const there = (await database.rows<Item>('select id, owner, value from items order by id')).map(({id, owner, value}) => `${id} ${owner} ${value}`);
  let here: string[] = [];
  await until(async () => {
    here = await page.locator('li').allTextContents();
    return here.join() === there.join();
  }, () => `${here} instead of ${there}`, 30_000);
}

test('live from the first moment, and through every fault', async (t) => {
  const {database, bridge, proxy, site} = await set(t);
  const page = await site.open();
  await says(page, 'live websocket');
  await shows(page, database);
  t.diagnostic(`page load to first row: ${Math.round(await page.evaluate('firstRow') as number)} ms`);

  const began = Date.now();
  await database.execute(`insert into items values (77, 'new', 7)`);
  const committed = Date.now();
  await page.getByText('77 new 7').waitFor();
  t.diagnostic(`commit to painted row: at most ${Date.now() - committed} ms, with ${committed - began} ms of psql before it`);

  const steps: readonly [string, () => void | Promise<void>, string][] = [
    ['a WebSocket that is cut and refused', () => {
      proxy.websocket = 'refuse';
      proxy.kill();
    }, 'live sse'],
    ['a stream that is kept back', () => {
      proxy.sse = 'buffer';
      proxy.kill();
    }, 'polling longpoll'],
    ['a way that is open again', () => {
      Object.assign(proxy, {websocket: 'pass', sse: 'pass'});
    }, 'live websocket'],
    ['a line on which nothing moves', () => proxy.freeze(), 'live websocket'],
    ['a bridge that was killed', async () => {
      await bridge.stop('SIGKILL');
      await says(page, 'offline');
      await bridge.start();
    }, 'live websocket'],
    ['no network', async () => {
      await page.context().setOffline(true);
      await says(page, 'offline');
      await database.execute(work(10, 99));
      await page.context().setOffline(false);
    }, 'live websocket'],
  ];
  for (const [index, [what, happens, becomes]] of steps.entries()) {
    const writing = database.execute(work(60, index + 2));
    const start = Date.now();
    await happens();
    await says(page, becomes);
    const became = Date.now() - start;
    await writing;
    await shows(page, database);
    t.diagnostic(`${what}: ${becomes} after ${became} ms, everything shown after ${Date.now() - start} ms`);
  }
});

test('tokens that last for two seconds are renewed, one question at a time', async (t) => {
  const {database, site} = await set(t);
  let asked = 0;
  const page = await site.open((opening) => opening.exposeFunction('fresh', () => {
    ++asked;
    return token('7', {expires: 2});
  }));
  await until(() => asked >= 4, () => `asked ${asked} times`);
  await database.execute(work(30, 3));
  await shows(page, database);
  assert.ok(asked < 20, `asked ${asked} times`);
});

test('a thousand changes a second into ten thousand rows', async (t) => {
  const {database, site} = await set(t, `
    items.subscribe(() => {
      window.shown = items.rows.length;
      document.querySelector('ul').replaceChildren(...items.rows.slice(0, 30).map((row) => Object.assign(document.createElement('li'), {textContent: row.value})));
    });
    window.frames = [];
    let last;
    const frame = (now) => {
      if (last !== undefined) window.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);`, '25s');
  await database.execute(`insert into items select i, 'x', 0 from generate_series(100001, 110000) i`);
  const page = await site.open();
  await page.waitForFunction('window.shown >= 10000');
  await page.evaluate('frames.length = 0');
  const before = (await page.evaluate('client.statistics().events')) as number;
  const began = Date.now();
  // A hundred transactions of ten rows a second.
  await database.execute(Array.from({length: 500}, (_, index) =>
    `update items set value = value + 1 where id between ${100001 + (index % 900) * 10} and ${100010 + (index % 900) * 10}; select pg_sleep(0.008);`).join('\n'));
  const seconds = (Date.now() - began) / 1000;
  await page.waitForFunction(`client.statistics().events >= ${before + 5000}`);
  const frames = ((await page.evaluate('frames')) as number[]).sort((a, b) => a - b);
  const long = frames.filter((each) => each > 34).length;
  t.diagnostic(`${Math.round(5000 / seconds)} changes a second; of ${frames.length} frames ${long} took longer than two; median ${frames[frames.length >> 1]!.toFixed(1)} ms, 99th ${frames[Math.floor(frames.length * 0.99)]!.toFixed(1)} ms`);
  assert.ok(frames[frames.length >> 1]! < 34, 'most frames are drawn');
});
