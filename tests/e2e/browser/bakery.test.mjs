// examples/bakery as a visitor finds it: two browsers on a stage, a network to spoil, and somebody who writes SQL.
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import test, {after} from 'node:test';
import {openPage} from './support/browser.mjs';
import {execute, startBakery} from './support/program.mjs';

const patience = 120_000;

const bakery = await startBakery({after});

// The page, its two windows, and what rowcast sent to each user: text by the subject of the token that the socket was opened with.
async function visit(t) {
  const page = await openPage(t);
  page.setDefaultTimeout(patience);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const told = {};
  page.on('websocket', (socket) => {
    let subject;
    socket.on('framesent', ({payload}) => {
      const {type, token} = JSON.parse(payload);
      if (type === 'auth') subject = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub;
    });
    socket.on('framereceived', ({payload}) => (told[subject] = (told[subject] ?? '') + payload));
  });
  await page.goto(bakery.url);
  const browser = (name) => {
    const frame = page.frameLocator(`[data-browser=${name}] iframe`);
    return {
      frame,
      badge: (state, transport = '') => frame.locator(`.status[data-state=${state}]${transport && `[title=${transport}]`}`).waitFor(),
      order: (id, status) => frame.locator(`[data-order="${id}"][data-status=${status}]`),
      room: (room) => frame.getByRole('group', {name: 'Rooms'}).getByRole('button', {name: room}),
      async signIn(label) {
        await frame.getByLabel('Signed in as').selectOption({label});
        await frame.locator('.status[data-state=live]').waitFor();
      },
      async say(text) {
        await frame.getByRole('textbox').fill(text);
        await frame.getByRole('button', {name: 'Send'}).click();
      },
      network: (value) => page.locator(`[data-browser=${name}]`).getByLabel('The network').selectOption(value),
      version: (label) => page.locator(`[data-browser=${name}]`).getByRole('button', {name: label}).click(),
    };
  };
  const [left, right] = [browser('left'), browser('right')];
  for (const each of [left, right]) await each.badge('live', 'websocket');
  await left.frame.locator('.order').first().waitFor();
  await right.frame.locator('.order').first().waitFor();
  return {page, left, right, told, problems};
}

const insertOrder = (user) => execute(bakery, `insert into orders (user_id, item) values (${user}, 'Pretzel') returning id`);

test('an order written with plain SQL is seen by its customer and the staff, and by nobody else', async (t) => {
  const {left, right, told, problems} = await visit(t);
  const id = await insertOrder(1);
  await left.order(id, 'ordered').waitFor();
  await right.order(id, 'ordered').waitFor();
  const other = await insertOrder(2);
  const last = await insertOrder(1);
  await right.order(other, 'ordered').waitFor();
  await left.order(last, 'ordered').waitFor();
  assert.ok(told[3].includes(`"id":${other},`), 'who works there is told');
  assert.ok(!told[1].includes(`"id":${other},`), 'Ada is told nothing of what Ben orders');
  assert.ok(!Object.values(told).join().includes('@example.com'), 'addresses never leave the database');
  assert.deepEqual(problems, []);
});

test('what is ordered on one side is taken on at the other, and neither asks for it', async (t) => {
  const {page, left, right} = await visit(t);
  await left.frame.getByRole('button', {name: 'Baguette'}).click();
  const mine = left.frame.locator('.order[data-order]', {hasText: 'Baguette'}).first();
  await mine.waitFor();
  const id = await mine.getAttribute('data-order');
  await right.frame.getByRole('button', {name: `Start baking: order ${id}`}).click();
  await left.order(id, 'baking').waitFor();

  // A window that polls has asked for everything twice more; the other one has not asked at all.
  const asked = (side) => page.evaluate((name) => document.querySelector(`[data-browser=${name}] iframe`).contentWindow.inside.asked.length, side);
  await right.version('before');
  await right.frame.locator('.status[data-state=asking]').waitFor();
  await right.order(id, 'baking').waitFor();
  const [still, polls] = [await asked('left'), await asked('right')];
  const later = await insertOrder(1);
  await left.order(later, 'ordered').waitFor();
  await right.order(later, 'ordered').waitFor();
  await page.waitForFunction((more) => document.querySelector('[data-browser=right] iframe').contentWindow.inside.asked.length >= more, polls + 10);
  assert.equal(await asked('left'), still);
});

test('a message reaches the members of its room only, and who leaves hears nothing more', async (t) => {
  const {left, right, told} = await visit(t);
  await left.room('sourdough').click();
  await right.room('sourdough').click();
  await right.frame.getByText('You are not in #sourdough').waitFor();
  await left.say('before you came');
  await left.frame.getByText('before you came').waitFor();

  await right.frame.getByRole('button', {name: 'Join #sourdough'}).click();
  await right.frame.getByText('before you came').waitFor();
  await left.frame.locator('.members', {hasText: 'Mira'}).waitFor();
  await left.say('welcome');
  await right.frame.getByText('welcome').waitFor();

  await right.frame.getByRole('button', {name: 'Leave #sourdough'}).click();
  await right.frame.getByText('You are not in #sourdough').waitFor();
  await left.frame.locator('.members', {hasText: /· Ada$|^Ada$/}).waitFor();
  await left.say('between us');
  await left.frame.getByText('between us').waitFor();
  // Put out of a room by somebody with SQL, in the same moment as there.
  await right.room('counter').click();
  await right.frame.getByRole('log').waitFor();
  await execute(bakery, `begin; delete from members where (room_id, user_id) = (1, 3);
    insert into messages values (gen_random_uuid(), 1, 2, 'now without Mira'); commit`);
  await right.frame.getByText('You are not in #counter').waitFor();
  // Whatever was to come has come, if what was committed after it has.
  const last = await insertOrder(2);
  await right.order(last, 'ordered').waitFor();
  assert.ok(told[3].includes('welcome'));
  assert.ok(!told[3].includes('between us') && !told[3].includes('now without Mira'));
  await execute(bakery, 'insert into members values (1, 3)');
  await right.frame.getByText('now without Mira').waitFor();
});

// The order that each row of a window says that it is, and what is in the database.
async function showsWhatThereIs({frame}, customer) {
  const rows = await execute(bakery, `select id || ' ' || status from orders where user_id = ${customer} and status not in ('collected', 'cancelled') order by id desc`);
  const wanted = rows.split('\n');
  const list = frame.getByRole('list', {name: 'Open'});
  await list.locator('li').nth(wanted.length - 1).waitFor();
  for (const end = Date.now() + patience; ;) {
    const here = await list.locator('li').evaluateAll((items) => items.map(({dataset}) => `${dataset.order} ${dataset.status}`));
    if (here.join() === wanted.join()) return;
    assert.ok(Date.now() < end, `${here} instead of ${wanted}`);
    await list.page().waitForFunction(() => new Promise(requestAnimationFrame).then(() => true));
  }
}

test('it falls back where the network blocks more and more, and comes back with everything that was missed', async (t) => {
  const {left, right} = await visit(t);
  const changeSeenBy = async (...browsers) => {
    const id = await insertOrder(1);
    for (const each of browsers) await each.order(id, 'ordered').waitFor();
    return id;
  };
  await left.network('no WebSockets');
  await left.badge('live', 'sse');
  await changeSeenBy(left, right);
  await left.network('no streams either');
  await left.badge('polling');
  await changeSeenBy(left, right);

  await left.network('nothing');
  await left.badge('offline');
  const missed = await changeSeenBy(right);
  await execute(bakery, `update orders set status = 'ready' where id = ${missed}; delete from orders where id = 3`);
  await right.order(missed, 'ready').waitFor();
  assert.equal(await left.frame.locator(`[data-order="${missed}"]`).count(), 0);
  await left.network('everything');
  await left.badge('live', 'websocket');
  await left.order(missed, 'ready').waitFor();
  await showsWhatThereIs(left, 1);
  await changeSeenBy(left, right);
});

test('a write is seen at once, and taken back where the server refuses it', async (t) => {
  const {page, left} = await visit(t);
  const id = await insertOrder(1);
  await left.order(id, 'ordered').waitFor();
  let release;
  const held = new Promise((go) => (release = go));
  await page.route(`**/api/orders/${id}`, async (route) => {
    await held;
    await route.continue();
  });
  await left.frame.getByRole('button', {name: `Cancel: order ${id}`}).click();
  await left.order(id, 'cancelled').waitFor();
  await execute(bakery, `update orders set status = 'baking' where id = ${id}`);
  release();
  await left.order(id, 'baking').waitFor();
  await left.frame.getByRole('alert').getByText('It is too late for that.').waitFor();
});

test('each window says how long it took to show a statement that a click has run', async (t) => {
  const {page} = await visit(t);
  await page.getByLabel('Statement').selectOption({label: "insert into orders (user_id, item, quantity) values (1, 'Pretzel', 12);"});
  await page.getByRole('button', {name: 'Run'}).click();
  await page.getByText('1 row').waitFor();
  for (const name of ['left', 'right']) await page.locator(`[data-browser=${name}] .seen`, {hasText: /\d ms/}).waitFor();
});

test('who signs in as somebody else sees what is theirs; nothing overflows a small screen', async (t) => {
  const {page, left} = await visit(t);
  await page.setViewportSize({width: 360, height: 740});
  await left.signIn('Ben, customer');
  await showsWhatThereIs(left, 2);
  assert.equal(await left.room('kitchen').count(), 0);
  await page.getByLabel('Colours').selectOption('Dark');
  const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  assert.equal(await page.evaluate(overflow), 0);
  for (const frame of page.frames()) assert.equal(await frame.evaluate(overflow), 0, frame.url());
  for (const frame of page.frames()) await frame.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
});

test('Ctrl-C ends it with status 0 and leaves nothing behind', async (t) => {
  const own = await startBakery(t);
  assert.ok(existsSync(own.logs) && existsSync(own.folder));
  assert.equal(await own.stop(), 0);
  assert.ok(!existsSync(own.logs) && !existsSync(own.folder));
});
