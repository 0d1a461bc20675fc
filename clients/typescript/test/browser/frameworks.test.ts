// Vue and Svelte themselves, in a real browser: they show what PostgreSQL holds, follow nothing twice, and leave nothing behind.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import test from 'node:test';
import type {Plugin} from 'esbuild';
import type {Page} from 'playwright-core';
import {compile} from 'svelte/compiler';
import {Bridge} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {serve} from '../support/page.js';
import {Proxy} from '../support/proxy.js';
import {until} from '../support/until.js';
import {schema, work, type Item} from '../support/witness.js';

const svelte: Plugin = {
  name: 'svelte',
  setup: (build) => build.onLoad({filter: /\.svelte$/}, async ({path}) => ({contents: compile(await readFile(path, 'utf8'), {filename: path}).js.code})),
};

async function shows(page: Page, database: Database, least: number): Promise<void> {
  const there = (await database.rows<Item>(`select id, owner, value from items where value >= ${least} order by id`)).map(({id, owner, value}) => `${id} ${owner} ${value}`);
  const sum = await database.execute('select coalesce(sum(value), 0) from items');
  for (const list of [0, 1]) {
    let here: string[] = [];
    await until(async () => {
      here = await page.locator('main ul').nth(list).locator('li').allTextContents();
      return here.join() === there.join();
    }, () => `${here} instead of ${there}`);
  }
  let here: string | null = null;
  await until(async () => (here = await page.locator('main b').textContent()) === sum, () => `${here} instead of ${sum}`);
}

for (const [name, source] of [['Vue', './test/browser/vue_page.ts'], ['Svelte', './test/browser/svelte_page.js']] as const) {
  test(`${name}: live rows and a fetch function of one's own, through a change of filter, a lost bridge, and the end`, async (t) => {
    const database = await Database.create(t, schema);
    await database.execute(work(20, 1));
    let target = '';
    const site = await serve(t, () => `rowcast.start('${target}')`, source, [svelte]);
    const bridge = await Bridge.start(t, database, {origins: [site.origin]});
    const proxy = await Proxy.start(t, bridge.port);
    target = proxy.url;
    const problems: string[] = [];
    const page = await site.open(async (opening) => {
      opening.on('console', (message) => void (['error', 'warning'].includes(message.type()) && !/ERR_/.test(message.text()) && problems.push(message.text())));
      await opening.route('**/sum', async (route) => route.fulfill({body: await database.execute('select coalesce(sum(value), 0) from items')}));
    });
    const says = (state: string) => page.locator('main output', {hasText: state}).waitFor();

    await says('live');
    await shows(page, database, 0);
    assert.equal(proxy.count('/v1/rows'), 1, 'both lists are one collection, read once');
    await database.execute(work(50, 2));
    await shows(page, database, 0);
    assert.notEqual(await page.locator('main button').textContent(), '0');

    await page.locator('main button').click();
    await shows(page, database, 5);

    await bridge.stop('SIGKILL');
    await says('offline');
    await database.execute('update items set value = value + 100');
    await page.locator('main b[data-source=polling]').waitFor();
    await bridge.start();
    await says('live');
    await shows(page, database, 5);

    await page.evaluate('leave()');
    await page.waitForFunction(`client.status.state === 'idle'`);
    assert.deepEqual(problems, []);
  });
}
