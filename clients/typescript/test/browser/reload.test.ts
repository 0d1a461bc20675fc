// A page that keeps its cursor, reloaded: what was committed meanwhile is told to the next one.
import assert from 'node:assert/strict';
import test from 'node:test';
import {Bridge} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {serve} from '../support/page.js';
import {until} from '../support/until.js';
import {schema, work} from '../support/witness.js';

test('the cursor outlives the page: over reloads in the midst of changes each of them is told, and none twice', async (t) => {
  const database = await Database.create(t, schema);
  let target = '';
  const site = await serve(t, () => `
    const client = rowcast.connect({url: '${target}', storage: localStorage});
    const came = JSON.parse(localStorage.came ?? '[]');
    client.table('public.items').subscribe({
      live: () => (window.live = true),
      reset: (reason) => (localStorage.reset = reason),
      changes: (changes) => {
        came.push(...changes.map(({id}) => Number(id)));
        localStorage.came = JSON.stringify(came); // with the cursor, which is written as soon as this returns
      },
    }, {resume: 'items'});`);
  const bridge = await Bridge.start(t, database, {origins: [site.origin]});
  target = bridge.url;
  const page = await site.open();
  await page.waitForFunction('window.live');
  for (let seed = 1; seed < 5; ++seed) {
    const writing = database.execute(work(40, seed));
    await page.reload();
    await writing;
  }
  const logged = await database.rows<{id: number}>(`select id from rowcast.change_log where table_name = 'public.items' order by id`);
  let came: number[] = [];
  await until(async () => {
    came = JSON.parse((await page.evaluate('localStorage.came ?? "[]"')) as string) as number[];
    return came.length >= logged.length;
  }, () => `${came.length} of ${logged.length}`);
  assert.deepEqual(came.sort((a, b) => a - b), logged.map(({id}) => id));
  assert.equal(await page.evaluate('localStorage.reset'), undefined);
});
