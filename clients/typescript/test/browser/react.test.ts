// Hooks in strict mode, in a real browser: they show what PostgreSQL holds, follow nothing twice, and leave nothing behind.
import assert from 'node:assert/strict';
import test from 'node:test';
import type {Page} from 'playwright-core';
import {Bridge} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {serve} from '../support/page.js';
import {Proxy} from '../support/proxy.js';
import {until} from '../support/until.js';
import {schema, work, type Item} from '../support/witness.js';

async function shows(page: Page, database: Database, least: number): Promise<void> {
  const there = (await database.rows<Item>(`select id, owner, value from items where value >= ${least} order by id`)).map(({id, owner, value}) => `${id} ${owner} ${value}`);
  for (const list of [0, 1]) {
    let here: string[] = [];
    await until(async () => {
      here = await page.locator('main ul').nth(list).locator('li').allTextContents();
      return here.join() === there.join();
    }, () => `${here} instead of ${there}`);
  }
}

async function sums(page: Page, database: Database): Promise<void> {
  const sum = await database.execute('select coalesce(sum(value), 0) from items');
  for (const element of ['b', 'i']) {
    let here: string | null = null;
    await until(async () => (here = await page.locator(`main ${element}`).textContent()) === sum, () => `<${element}> shows ${here} instead of ${sum}`);
  }
}

test('live rows, a fetch function of one\'s own and a query, through a change of filter, a lost bridge, and the end', async (t) => {
  const database = await Database.create(t, schema);
  await database.execute(work(20, 1));
  let target = '';
  const site = await serve(t, () => `rowcast.start('${target}')`, './test/browser/react_page.tsx');
  const bridge = await Bridge.start(t, database, {origins: [site.origin]});
  const proxy = await Proxy.start(t, bridge.port);
  target = proxy.url;
  const problems: string[] = [];
  const page = await site.open(async (opening) => {
    opening.on('console', (message) => void (message.type() === 'error' && !/ERR_/.test(message.text()) && problems.push(message.text())));
    await opening.route('**/sum', async (route) => route.fulfill({body: await database.execute('select coalesce(sum(value), 0) from items')}));
  });
  const counts = () => page.evaluate('({...counts})') as Promise<{renders: number; fetched: number; queried: number}>;
  const badge = (state: string) => page.locator(`main output[data-state=${state}]`).waitFor();

  await badge('live');
  await shows(page, database, 0);
  assert.equal(proxy.count('/v1/rows'), 1, 'both lists are one collection, read once');
  await database.execute(work(50, 2));
  await shows(page, database, 0);
  await sums(page, database);

  await page.locator('main button').click();
  await shows(page, database, 5);

  // Whatever is still being read has its time to end.
  await until(async () => {
    const {fetched, queried} = await counts();
    await new Promise((later) => setTimeout(later, 1000));
    const after = await counts();
    return after.fetched === fetched && after.queried === queried;
  }, () => 'while it is live something polls');

  await bridge.stop('SIGKILL');
  await badge('offline');
  await database.execute('update items set value = value + 100');
  await sums(page, database);
  assert.equal(await page.locator('main b').getAttribute('data-source'), 'polling');
  await bridge.start();
  await badge('live');
  await shows(page, database, 5);
  await database.execute('update items set value = value + 1');
  await sums(page, database);

  await page.evaluate('leave()');
  await page.waitForFunction(`client.status.state === 'idle'`);
  assert.deepEqual(problems, []);
});
