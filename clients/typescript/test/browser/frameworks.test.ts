// Vue and Svelte themselves, in a real browser: they show what PostgreSQL holds, follow nothing twice, and leave nothing behind.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import test from 'node:test';
import type {Plugin} from 'esbuild';
import {compile} from 'svelte/compiler';
import {openLists, shows, sums} from '../support/list_page.js';
import {work} from '../support/witness.js';

const svelte: Plugin = {
  name: 'svelte',
  setup: (build) => build.onLoad({filter: /\.svelte$/}, async ({path}) => ({contents: compile(await readFile(path, 'utf8'), {filename: path}).js.code})),
};

for (const [name, source] of [['Vue', './test/browser/vue_page.ts'], ['Svelte', './test/browser/svelte_page.js']] as const) {
  test(`${name}: live rows and a fetch function of one's own, through a change of filter, a lost bridge, and the end`, async (t) => {
    const {database, bridge, proxy, page, problems} = await openLists(t, source, {levels: ['error', 'warning'], plugins: [svelte]});
    const says = (state: string) => page.locator('main output', {hasText: state}).waitFor();

    await says('live');
    await shows(page, database, 0);
    await sums(page, database, 'b');
    assert.equal(proxy.count('/v1/rows'), 1, 'both lists are one collection, read once');
    await database.execute(work(50, 2));
    await shows(page, database, 0);
    await sums(page, database, 'b');
    assert.notEqual(await page.locator('main button').textContent(), '0');

    await page.locator('main button').click();
    await shows(page, database, 5);
    await sums(page, database, 'b');

    await bridge.stop('SIGKILL');
    await says('offline');
    await database.execute('update items set value = value + 100');
    await page.locator('main b[data-source=polling]').waitFor();
    await bridge.start();
    await says('live');
    await shows(page, database, 5);
    await sums(page, database, 'b');

    await page.evaluate('leave()');
    await page.waitForFunction(`client.status.state === 'idle'`);
    assert.deepEqual(problems, []);
  });
}
