// A page of a framework's own: two lists of the same items and their sum, which it fetches by itself.
import type {TestContext} from 'node:test';
import type {Plugin} from 'esbuild';
import type {Page} from 'playwright-core';
import {Bridge} from './bridge.js';
import {Database} from './database.js';
import {serve} from './page.js';
import {Proxy} from './proxy.js';
import {until} from './until.js';
import {schema, work, type Item} from './witness.js';

const sum = 'select coalesce(sum(value), 0) from items';

/** The page that `source` makes, and what it says on the console at these levels, except of a network that is not there. */
export async function openLists(t: TestContext, source: string, {levels, plugins}: {levels: readonly string[]; plugins?: Plugin[]}) {
  const database = await Database.create(t, schema);
  await database.execute(work(20, 1));
  let target = '';
  const site = await serve(t, () => `rowcast.start('${target}')`, source, plugins);
  const bridge = await Bridge.start(t, database, {origins: [site.origin]});
  const proxy = await Proxy.start(t, bridge.port);
  target = proxy.url;
  const problems: string[] = [];
  const page = await site.open(async (opening) => {
    opening.on('console', (message) => void (levels.includes(message.type()) && !/ERR_/.test(message.text()) && problems.push(message.text())));
    await opening.route('**/sum', async (route) => route.fulfill({body: await database.execute(sum)}));
  });
  return {database, bridge, proxy, page, problems};
}

/** Both lists show what PostgreSQL holds of the items with that value or more. */
export async function shows(page: Page, database: Database, least: number): Promise<void> {
  const there = (await database.rows<Item>(`select id, owner, value from items where value >= ${least} order by id`)).map(({id, owner, value}) => `${id} ${owner} ${value}`);
  for (const list of [0, 1]) {
    let here: string[] = [];
    await until(async () => {
      here = await page.locator('main ul').nth(list).locator('li').allTextContents();
      return here.join() === there.join();
    }, () => `${here} instead of ${there}`);
  }
}

/** These elements show the sum that PostgreSQL holds. */
export async function sums(page: Page, database: Database, ...elements: readonly string[]): Promise<void> {
  const there = await database.execute(sum);
  for (const element of elements) {
    let here: string | null = null;
    await until(async () => (here = await page.locator(`main ${element}`).textContent()) === there, () => `<${element}> shows ${here} instead of ${there}`);
  }
}
