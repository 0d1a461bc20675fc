import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import test from 'node:test';
import {openPage} from './support/browser.mjs';
import {execute, startDemo} from './support/program.mjs';

const tile = (page, user, table, key) => page.locator(`[data-user=${user}] [data-table="public.${table}"] [data-key="${key}"]`);
const figure = async (page, id) => Number((await page.locator(`#${id}`).textContent()).replaceAll(',', ''));

// Everything that the page is handed, by the subject of the token that its socket was opened with. (What reaches the
// browser after the page has closed a socket is handed to nobody, and comes again on the next one.)
async function listen(page) {
  const received = {tess: [], aron: []};
  await page.exposeFunction('heard', (token, text) => {
    const {sub} = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    received[sub].push(JSON.parse(text));
  });
  await page.addInitScript(() => {
    window.WebSocket = class extends WebSocket {
      #token;
      constructor(...args) {
        super(...args);
        this.addEventListener('message', ({data}) => this.#token && window.heard(this.#token, data));
      }
      send(text) {
        const {type, token} = JSON.parse(text);
        if (type === 'auth') this.#token = token;
        super.send(text);
      }
    };
  });
  return received;
}

const eventsOf = (messages) => messages.flatMap((message) => (message.type === 'changes' ? message.events : []));

async function open(t, demo, {live = 2} = {}) {
  const page = await openPage(t);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  const received = await listen(page);
  await page.goto(demo.url);
  await page.waitForFunction((count) => document.querySelectorAll('[data-state=live]').length === count, live);
  return {page, received, problems};
}

test('the tables of both users fill and flash while pgbench writes, and every update follows the one before', async (t) => {
  const demo = await startDemo(t, '--rate', '40');
  const {page, received, problems} = await open(t, demo);
  await page.waitForFunction(() => document.querySelectorAll('[data-user=auditor] [data-table="public.pgbench_branches"] li').length === 3);
  await page.waitForFunction(() => [...document.querySelectorAll('[data-user=teller] .tiles li')].some(({dataset}) => dataset.flashed > 2));
  await page.waitForFunction(() => Number(document.getElementById('checked').textContent.replaceAll(',', '')) > 100);
  assert.equal(await figure(page, 'gaps'), 0);
  assert.ok((await figure(page, 'latency')) > 0, 'there is a latency');
  assert.ok((await figure(page, 'latency')) < 60_000, 'clocks are read right');
  assert.deepEqual(problems, []);

  const tess = eventsOf(received.tess);
  const aron = eventsOf(received.aron);
  assert.ok(tess.length > 0 && aron.length > 0);
  for (const {table, row} of tess) {
    assert.notEqual(table, 'public.pgbench_branches');
    assert.equal(row.bid, 1, 'the teller gets rows of branch 1 only');
    if (table === 'public.pgbench_accounts') assert.deepEqual(Object.keys(row).sort(), ['abalance', 'aid', 'bid']);
  }
  for (const {table, row, old} of aron) {
    assert.notEqual(table, 'public.pgbench_accounts');
    assert.ok(!('aid' in row) && !('aid' in (old ?? {})), 'the auditor gets no account');
  }
  assert.ok(new Set(aron.map(({row}) => row.bid)).size > 1, 'the auditor gets all branches');
});

test('what is written by hand is seen by those who may, and a row that leaves a view is gone from it', async (t) => {
  const demo = await startDemo(t, '--no-load');
  const {page, received} = await open(t, demo);

  await execute(demo, 'update pgbench_tellers set tbalance = 4242 where tid = 1');
  await tile(page, 'teller', 'pgbench_tellers', 1).getByText('4,242').waitFor();
  await tile(page, 'auditor', 'pgbench_tellers', 1).getByText('4,242').waitFor();

  // Tess hears of it only by what comes after it: the next change of hers.
  await execute(demo, 'update pgbench_tellers set tbalance = 11 where tid = 11');
  await execute(demo, 'begin; update pgbench_tellers set tbalance = 666 where tid = 2; rollback');
  await execute(demo, 'update pgbench_tellers set tbalance = 22 where tid = 2');
  await tile(page, 'teller', 'pgbench_tellers', 2).getByText('22').waitFor();
  await tile(page, 'auditor', 'pgbench_tellers', 11).getByText('11', {exact: true}).waitFor();
  assert.deepEqual(eventsOf(received.tess).map(({key}) => key.tid), [1, 2]);
  assert.deepEqual(eventsOf(received.aron).map(({key}) => key.tid), [1, 11, 2]);

  await execute(demo, 'update pgbench_tellers set bid = 2 where tid = 1');
  await tile(page, 'teller', 'pgbench_tellers', 1).waitFor({state: 'detached'});
  const last = eventsOf(received.tess).at(-1);
  assert.deepEqual([last.op, last.cause, 'row' in last, 'old' in last], ['DELETE', 'UPDATE', false, false]);
});

test('a line that was cut is taken up again from its cursor, with all that was missed and nothing twice', async (t) => {
  const demo = await startDemo(t, '--rate', '40');
  const {page, received} = await open(t, demo);
  await page.waitForFunction(() => Number(document.getElementById('checked').textContent.replaceAll(',', '')) > 20);
  const written = async () => numbers(demo, 'select id from pgbench_history');
  const before = new Set(await written());
  await page.locator('[data-user=auditor] .cut').click();
  await page.locator('[data-user=auditor][data-state=cut]').waitFor();
  await page.locator('[data-user=auditor][data-state=live]').waitFor();
  await page.waitForFunction(() => Number(document.getElementById('recovered').textContent.replaceAll(',', '')) > 50);
  assert.equal(await figure(page, 'interruptions'), 1);
  const answers = received.aron.filter(({type}) => type === 'subscribed').slice(-3);
  assert.deepEqual(answers.map(({status}) => status), ['resumed', 'resumed', 'resumed']);

  // What was committed between the two looks was committed while the page subscribed, or had lost its line.
  const owed = (await written()).filter((id) => !before.has(id));
  const came = () => eventsOf(received.aron).filter(({table}) => table.endsWith('history')).map(({key}) => key.id);
  await until(() => owed.every((id) => came().includes(id)), () => `missed: ${owed.filter((id) => !came().includes(id))}`);
  assert.equal(new Set(came()).size, came().length, 'nothing twice');
  assert.equal(await figure(page, 'gaps'), 0);
});

test('a demo that was started anew is found again by the page', async (t) => {
  const first = await startDemo(t, '--no-load');
  const port = new URL(first.url).port;
  const {page} = await open(t, first);
  await first.stop();
  await page.locator('[data-user=teller][data-state=waiting]').waitFor();
  const second = await startDemo(t, '--no-load', '--port', port);
  await page.waitForFunction(() => document.querySelectorAll('[data-state=live]').length === 2);
  await page.getByText(second.folder).waitFor();
  await execute(second, 'update pgbench_tellers set tbalance = 7 where tid = 1');
  await tile(page, 'teller', 'pgbench_tellers', 1).getByText('7', {exact: true}).waitFor();
});

test('Ctrl-C ends the demo with status 0 and leaves nothing behind', async (t) => {
  const demo = await startDemo(t, '--rate', '5');
  assert.ok(existsSync(demo.folder));
  assert.equal(await demo.stop(), 0);
  assert.ok(!existsSync(demo.folder));
});

test('the page keeps the chosen colours, and nothing overflows a small screen', async (t) => {
  const demo = await startDemo(t, '--rate', '40');
  const {page} = await open(t, demo);
  await page.setViewportSize({width: 360, height: 740});
  await page.waitForFunction(() => document.querySelectorAll('[data-user=auditor] [data-table="public.pgbench_branches"] li').length === 3);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0);
  await page.locator('#theme').click();
  await page.locator('#theme').click();
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
});

async function numbers(demo, sql) {
  return (await execute(demo, sql)).split('\n').filter(Boolean).map(Number);
}

async function until(holds, problem) {
  for (const end = Date.now() + 60_000; !holds(); await new Promise((next) => setTimeout(next, 50))) {
    assert.ok(Date.now() < end, problem());
  }
}
