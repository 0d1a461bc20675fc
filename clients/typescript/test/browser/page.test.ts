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
  const limits = {backoff: 100, backoffMost: 1000, probe: 500, probeMost: 1000, open: 2000, longPoll: 2000, answer: 3000, stable: 200};
  const client = window.client = rowcast.connect({url: '${url}', limits, token: async () => (window.fresh ? window.fresh() : ${JSON.stringify(token('7'))})});
  const items = window.items = rowcast.live(client, 'public.items', {orderBy: 'id'});
  const draw = () => {
    document.querySelector('ul').replaceChildren(...items.rows.map(({id, owner, value}) => {
      const li = document.createElement('li');
      li.textContent = [id, owner, value].join(' ');
      return li;
    }));
  };
  client.onStatus(({state, transport}) => (document.querySelector('p').textContent = state + ' ' + transport));
  ${extra || 'items.subscribe(draw);'}
`;

async function set(t: TestContext, extra?: string) {
  const database = await Database.create(t, schema);
  await database.execute(work(20, 1));
  let target = '';
  const site = await serve(t, () => script(target, extra));
  const bridge = await Bridge.start(t, database, {origins: [site.origin], anonymous: false, heartbeat: '3s'});
  const proxy = await Proxy.start(t, bridge.port);
  target = proxy.url;
  return {database, bridge, proxy, site};
}

const says = (page: Page, status: string) => page.locator('p', {hasText: status}).waitFor();

async function shows(page: Page, database: Database): Promise<void> {
  const there = (await database.rows<Item>('select id, owner, value from items order by id')).map(({id, owner, value}) => `${id} ${owner} ${value}`);
  let here: string[] = [];
  await until(async () => {
    here = await page.locator('li').allTextContents();
    return here.join() === there.join();
  }, () => `${here} instead of ${there}`);
}

test('live from the first moment, and through every fault', async (t) => {
  const {database, bridge, proxy, site} = await set(t);
  const page = await site.open();
  await says(page, 'live websocket');
  await shows(page, database);
  await database.execute(`insert into items values (77, 'new', 7)`);
  await page.getByText('77 new 7').waitFor();

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
    await happens();
    await says(page, becomes);
    await writing;
    await shows(page, database);
    t.diagnostic(what);
  }
});

test('tokens that last for two seconds are renewed, one question at a time', async (t) => {
  const {database, site} = await set(t);
  const began = Date.now();
  let asked = 0;
  let asking = 0;
  let most = 0;
  const page = await site.open((opening) => opening.exposeFunction('fresh', async () => {
    ++asked;
    most = Math.max(most, ++asking);
    await new Promise((later) => setTimeout(later, 20));
    --asking;
    return token('7', {expires: 2});
  }));
  await until(() => asked >= 4, () => `asked ${asked} times`);
  await database.execute(work(30, 3));
  await shows(page, database);
  assert.equal(most, 1, 'one question at a time');
  // One that lasts for two seconds is good for one, and there may be a refused one to each.
  assert.ok(asked < 5 + (Date.now() - began) / 500, `asked ${asked} times`);
});

test('five thousand changes into ten thousand rows: each comes once, and a picture is never half a transaction', async (t) => {
  const {database, site} = await set(t, `
    window.frames = window.pictures = window.torn = 0;
    window.came = [];
    const count = () => requestAnimationFrame(count, void ++window.frames);
    count();
    client.table('public.items').subscribe({changes: (changes) => window.came.push(...changes.map(({id}) => id))});
    const many = rowcast.live(client, 'public.items', {orderBy: 'id', where: {id: {gt: 100000}}, schedule: requestAnimationFrame});
    many.subscribe(() => {
      ++window.pictures;
      window.rows = many.rows;
      if (many.rows.some(({value}, index) => value !== many.rows[index - index % 10].value)) ++window.torn;
    });`);
  await database.execute(`insert into items select i, 'x', 0 from generate_series(100001, 110000) i`);
  const page = await site.open();
  await page.waitForFunction('window.rows?.length === 10000');
  const last = await database.execute('select max(id) from rowcast.change_log');
  const [frames, pictures] = (await page.evaluate('[frames, pictures]')) as [number, number];
  await database.execute(Array.from({length: 500}, (_, index) =>
    `update items set value = value + 1 where id between ${100001 + (index % 300) * 10} and ${100010 + (index % 300) * 10};`).join('\n'));
  await page.waitForFunction('rows.reduce((sum, {value}) => sum + value, 0) >= 5000 && came.length >= 5000');
  const there = await database.rows<Item>('select id, owner, value from items where id > 100000 order by id');
  assert.deepEqual(await page.evaluate('rows.map(({id, owner, value}) => ({id, owner, value}))'), there);
  const logged = await database.rows<{id: string}>(`select id::text from rowcast.change_log where id > ${last} order by id`);
  assert.deepEqual(await page.evaluate('came'), logged.map(({id}) => id), 'each once, in their order');
  assert.equal(await page.evaluate('torn'), 0);
  const [framesAfter, picturesAfter] = (await page.evaluate('[frames, pictures]')) as [number, number];
  assert.ok(picturesAfter - pictures <= Math.min(500, framesAfter - frames), `${picturesAfter - pictures} pictures in ${framesAfter - frames} frames`);
});
