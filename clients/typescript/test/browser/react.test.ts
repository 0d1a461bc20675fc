// Hooks in strict mode, in a real browser: they show what PostgreSQL holds, follow nothing twice, and leave nothing behind.
import assert from 'node:assert/strict';
import test from 'node:test';
import {openLists, shows, sums} from '../support/list_page.js';
import {until} from '../support/until.js';
import {work} from '../support/witness.js';

test('live rows, a fetch function of one\'s own and a query, through a change of filter, a lost bridge, and the end', async (t) => {
  const {database, bridge, proxy, page, problems} = await openLists(t, './test/browser/react_page.tsx', {levels: ['error']});
  const counts = () => page.evaluate('({...counts})') as Promise<{renders: number; fetched: number; queried: number}>;
  const badge = (state: string) => page.locator(`main output[data-state=${state}]`).waitFor();

  await badge('live');
  await shows(page, database, 0);
  assert.equal(proxy.count('/v1/rows'), 1, 'both lists are one collection, read once');
  await database.execute(work(50, 2));
  await shows(page, database, 0);
  await sums(page, database, 'b', 'i');

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
  await sums(page, database, 'b', 'i');
  assert.equal(await page.locator('main b').getAttribute('data-source'), 'polling');
  await bridge.start();
  await badge('live');
  await shows(page, database, 5);
  await database.execute('update items set value = value + 1');
  await sums(page, database, 'b', 'i');

  await page.evaluate('leave()');
  await page.waitForFunction(`client.status.state === 'idle'`);
  assert.deepEqual(problems, []);
});
