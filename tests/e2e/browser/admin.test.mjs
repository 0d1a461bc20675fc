// The operators' page as one of them finds it: a bridge, a PostgreSQL, and sessions of a browser.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import test, {after} from 'node:test';
import {Bridge, Database, adminToken, token, until} from '../../contracts/support/bridge.mjs';
import {openBrowser} from './support/browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hostile = '<img src=x onerror="window.hacked=1">';

const setup = `
create table orders (id int primary key, owner text, status text);
create table notes (id int primary key generated always as identity, body text);
select rowcast.watch(name, notify => true) from unnest('{orders,notes}'::regclass[]) name;
insert into orders values (1, 'ann', 'open'), (2, 'bob', 'paid');
create table "${hostile.replaceAll('"', '""')}" (id int primary key);
create table later (id int primary key, secret text)`;
const settings = {
  database: {poll_interval: '100ms'},
  server: {limits: {sessions_per_user: 1000}},
  tables: {'public.orders': [{roles: ['user'], where: {owner: '$claims.sub'}, columns: ['id', 'owner', 'status']}, {roles: ['support']}], 'public.notes': [{}]},
  channels: {'room:*': [{}]},
};
const database = await Database.create({after}, setup);
const bridge = await Bridge.start({after}, database.url, settings);
const browser = await openBrowser({after});
const address = `http://127.0.0.1:${bridge.adminPort}/admin`;

// A page of the browser, with what it complains of.
async function open(t, options = {}) {
  const context = await browser.newContext({viewport: {width: 1400, height: 900}, ...options});
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('Failed to load resource') && problems.push(message.text()));
  await page.goto(address);
  return {page, problems};
}

async function signIn(t, options) {
  const opened = await open(t, options);
  await opened.page.getByLabel('Admin token').fill(adminToken);
  await opened.page.getByRole('button', {name: 'Sign in'}).click();
  await opened.page.getByRole('region', {name: 'Now'}).waitFor();
  return opened;
}

const go = (page, name) => page.getByRole('navigation').getByRole('link', {name}).click();

// A web page with a session, which comes back when it is told to.
async function connect(t, sub, subscriptions = [{id: 'n', table: 'public.notes'}]) {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`http://127.0.0.1:${bridge.port}/healthz`);
  await page.evaluate(([given, wanted]) => {
    window.told = [];
    const begin = () => {
      const socket = new WebSocket(`ws://${location.host}/v1/ws`, 'rowcast.v1');
      socket.onopen = () => {
        socket.send(JSON.stringify({type: 'auth', token: given}));
        for (const each of wanted) socket.send(JSON.stringify({type: 'subscribe', ...each}));
      };
      let pause;
      socket.onmessage = ({data}) => {
        const message = JSON.parse(data);
        window.told.push(message);
        if (message.type === 'goodbye') pause = message.reconnect_ms;
      };
      socket.onclose = ({code}) => {
        window.told.push({type: 'closed', code});
        if (pause !== undefined) setTimeout(begin, pause);
      };
    };
    begin();
  }, [token(sub), subscriptions]);
  const hears = (type, times = 1) => page.waitForFunction(([type, times]) => window.told.filter((each) => each.type === type).length >= times, [type, times]);
  await hears('subscribed', subscriptions.length);
  return {page, hears, told: () => page.evaluate(() => window.told)};
}

const sessionOf = (page, user) => page.getByRole('table', {name: 'Sessions of this bridge'}).locator('tbody tr', {hasText: user});

async function checkAccessibility(page, what) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
  const found = violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({html, any}) => `${html.slice(0, 150)} ${any[0]?.message ?? ''}`).join(' | ')}`);
  assert.deepEqual(found, [], what);
}

test('a wrong token is told, the right one opens the page, and signing out forgets it', async (t) => {
  const {page, problems} = await open(t);
  const field = page.getByLabel('Admin token');
  await field.fill('not the token of the operators');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('This is not the admin token.').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  assert.equal(await page.getByRole('navigation').isVisible(), false);
  await field.fill(adminToken);
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('ready', {exact: true}).waitFor();
  await page.reload();
  await page.getByRole('region', {name: 'Now'}).waitFor();
  await page.getByRole('button', {name: 'Sign out'}).click();
  await field.waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length + document.cookie.length), 0);
  await page.reload();
  await field.waitFor();
  assert.deepEqual(problems, []);
});

test('nothing comes from anywhere but the bridge', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const asked = new Set();
  page.on('request', (request) => asked.add(new URL(request.url()).origin));
  await page.goto(address);
  await page.getByLabel('Admin token').fill(adminToken);
  await page.keyboard.press('Enter');
  for (const name of ['Sessions', 'Tables', 'Rules', 'Rollout', 'Health']) await go(page, name);
  await page.getByRole('heading', {name: 'Health'}).waitFor();
  assert.deepEqual([...asked], [new URL(address).origin]);
});

test('the plots move as changes come, stand still while the page is paused, and have their figures beside them', async (t) => {
  await connect(t, 'ann');
  const {page, problems} = await signIn(t);
  const figures = page.getByRole('table', {name: 'Throughput, in the last five minutes'});
  const highest = async (series) => Number((await figures.getByRole('row', {name: series}).locator('td').last().textContent()).replace('–', '0'));
  await until(async () => {
    await database.execute(`insert into notes (body) select 'x' from generate_series(1, 30)`);
    return (await highest('changes read')) >= 5 && (await highest('events sent')) >= 5;
  }, () => 'nothing is drawn');
  const plot = page.getByRole('img', {name: /^Throughput over the last five minutes; now: changes read \d/});
  const pixels = () => plot.evaluate((canvas) => canvas.toDataURL());
  const before = await pixels();
  await until(async () => (await pixels()) !== before, () => 'the plot stands still');
  assert.match(await page.getByRole('region', {name: 'Now'}).getByText('WebSocket').textContent(), /^\d+ WebSocket/);

  await page.getByRole('button', {name: 'Pause'}).click();
  await page.getByRole('status').getByText('paused').waitFor();
  let asked = 0;
  page.on('request', () => ++asked);
  await page.getByRole('button', {name: 'Go on'}).click();
  await until(() => asked >= 2, () => 'nothing is asked any more');
  assert.deepEqual(problems, []);
});

test('a session is listed with who it is and what for, is disconnected, and comes back', async (t) => {
  const ann = await connect(t, 'ann-of-sessions', [{id: 'o', table: 'public.orders'}, {id: 'r', channel: 'room:7'}]);
  const {page, problems} = await signIn(t);
  await go(page, 'Sessions');
  await page.getByLabel('User or session').fill('of-sessions');
  const row = sessionOf(page, 'ann-of-sessions');
  await row.waitFor();
  for (const text of ['127.0.0.1', 'WebSocket', 'public.orders', 'room:7', 'live', 'user']) assert.ok((await row.textContent()).includes(text), text);
  await page.getByText('1 session that match').waitFor();

  await row.getByRole('button', {name: 'Disconnect'}).click();
  await page.getByText('ann-of-sessions was told to come back').waitFor();
  await ann.hears('subscribed', 4);
  const told = await ann.told();
  assert.deepEqual(told.filter(({type}) => type === 'closed'), [{type: 'closed', code: 1001}]);
  await row.waitFor();
  assert.deepEqual(problems, []);
});

test('a search is asked for once it has been typed, not at each letter', async (t) => {
  await connect(t, 'eve-who-is-typed');
  const {page, problems} = await signIn(t);
  await go(page, 'Sessions');
  await sessionOf(page, 'eve-who-is-typed').waitFor();
  const asked = [];
  page.on('request', (each) => each.url().includes('/admin/sessions') && asked.push(new URL(each.url()).searchParams.get('search')));
  await page.getByLabel('User or session').evaluate((field) => {
    for (const letter of 'who-is-typed') {
      field.value += letter;
      field.dispatchEvent(new Event('input'));
    }
  });
  await page.getByText('1 session that match').waitFor();
  assert.deepEqual([...new Set(asked.filter(Boolean))], ['who-is-typed']);
  assert.deepEqual(problems, []);
});

test('a session that is revoked ends, and the dialog says what it does to whom', async (t) => {
  const bob = await connect(t, 'bob-the-revoked');
  const {page, problems} = await signIn(t);
  await go(page, 'Sessions');
  const row = sessionOf(page, 'bob-the-revoked');
  await row.getByRole('button', {name: /^Revoke/}).click();
  const dialog = page.getByRole('dialog', {name: 'Revoke'});
  assert.ok(await dialog.getByLabel(/^The user bob-the-revoked/).isChecked());
  await checkAccessibility(page, 'the dialog');
  await page.keyboard.press('Escape');
  await dialog.waitFor({state: 'detached'});
  assert.deepEqual((await bob.told()).filter(({type}) => type === 'closed'), []);

  await row.getByRole('button', {name: /^Revoke/}).click();
  await dialog.getByLabel('For how long?').selectOption('15 minutes');
  await dialog.getByLabel('Why?').fill('a test');
  await dialog.getByRole('button', {name: 'Revoke'}).click();
  await page.getByText(/^Revoked until/).waitFor();
  await bob.hears('closed');
  assert.equal((await bob.told()).find(({type}) => type === 'closed').code, 4401);
  await row.waitFor({state: 'detached'});
  assert.equal(await database.execute(`select reason from rowcast.revocations where name = 'bob-the-revoked'`), 'a test');
  assert.deepEqual(problems, []);
});

test('a name that is markup stays a text, wherever it stands', async (t) => {
  await connect(t, hostile, [{id: 'n', table: 'public.notes'}, {id: 'r', channel: `room:${hostile}`}]);
  await database.execute(`select rowcast.watch(format('%I', '${hostile}')::regclass, notify => true)`);
  const {page, problems} = await signIn(t);
  await go(page, 'Sessions');
  await sessionOf(page, 'onerror').waitFor();
  await sessionOf(page, 'onerror').getByRole('button', {name: 'Disconnect'}).click();
  await page.getByText('was told to come back').waitFor();
  await go(page, 'Tables');
  const table = page.getByRole('row', {name: /onerror/});
  await table.getByRole('button').click();
  await page.getByRole('dialog').getByRole('button', {name: 'Unwatch'}).click();
  await page.getByText(/is captured no more/).waitFor();
  await go(page, 'Health');
  await page.getByText(/looked at/).waitFor();
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('img:not([src^="/admin/page/"])').count(), 0);
  assert.deepEqual(problems, []);
  // And where a bug made markup of it, the policy would have none of it.
  assert.match(await page.evaluate((text) => {
    try {
      document.body.innerHTML = text;
      return 'taken';
    } catch (error) {
      return error.name;
    }
  }, hostile), /TypeError/);
});

test('more sessions than a page holds are there page by page, and found by a part of a name', async (t) => {
  const crowd = await browser.newPage();
  t.after(() => crowd.close());
  await crowd.goto(`http://127.0.0.1:${bridge.port}/healthz`);
  await crowd.evaluate((tokens) => Promise.all(tokens.map((given) => new Promise((done) => {
    const socket = new WebSocket(`ws://${location.host}/v1/ws`, 'rowcast.v1');
    socket.onopen = () => socket.send(JSON.stringify({type: 'auth', token: given}));
    socket.onmessage = ({data}) => JSON.parse(data).type === 'authenticated' && done();
  }))), Array.from({length: 120}, (_, i) => token(`crowd-${String(i).padStart(3, '0')}`)));
  const {page} = await signIn(t);
  await go(page, 'Sessions');
  await page.getByLabel('User or session').fill('crowd-');
  const users = () => page.locator('tbody th > span').allTextContents();
  await page.getByText('120 sessions that match; here are 1 to 100').waitFor();
  assert.deepEqual([(await users())[0], (await users()).at(-1)], ['crowd-000', 'crowd-099']);
  await page.getByRole('button', {name: 'More'}).click();
  await page.getByText('here are 101 to 120').waitFor();
  assert.deepEqual([(await users())[0], (await users()).at(-1)], ['crowd-100', 'crowd-119']);
  await page.getByRole('button', {name: 'Back'}).click();
  await page.getByText('here are 1 to 100').waitFor();
  await page.getByLabel('User or session').fill('crowd-04');
  await page.getByText('10 sessions that match').waitFor();
});

test('a table is watched and let go of, and its changes are counted', async (t) => {
  const {page, problems} = await signIn(t);
  await go(page, 'Tables');
  await page.getByLabel('Table', {exact: true}).fill('later');
  await page.getByLabel('All but these').fill('secret');
  await page.getByRole('button', {name: 'Watch …'}).click();
  await page.getByText(`select rowcast.watch('later', "except" => '{secret}');`).waitFor();
  await page.getByRole('dialog').getByRole('button', {name: 'Watch'}).click();
  // The tests' cluster has two-phase commit, where rowcast wants to be told.
  await page.getByRole('dialog').getByRole('alert').getByText('notify').waitFor();
  await page.keyboard.press('Escape');
  await page.getByLabel('ring at each commit').uncheck();
  await page.getByRole('button', {name: 'Watch …'}).click();
  await page.getByRole('dialog').getByRole('button', {name: 'Watch'}).click();
  const row = page.getByRole('row', {name: /public\.later/});
  await row.waitFor();
  assert.equal(await row.getByText('secret').count(), 0);
  await database.execute('insert into later values (1), (2), (3); delete from later where id = 1');
  await row.getByText('3 inserts, 1 deletes').waitFor();
  await row.getByRole('button', {name: 'Unwatch'}).click();
  await page.getByRole('dialog').getByRole('button', {name: 'Unwatch'}).click();
  await row.waitFor({state: 'detached'});
  assert.deepEqual(problems, []);
});

test('where the bridge may not watch, the page says why, and what somebody else may type', async (t) => {
  const role = `rowcast_admin_page_${process.pid}`;
  await database.execute(`create role ${role} login; select rowcast.grant_bridge('${role}')`);
  const separate = await Bridge.start(t, database.url.replace('user=postgres', `user=${role}`), settings);
  t.after(() => database.execute(`drop owned by ${role}; drop role ${role}`));
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${separate.adminPort}/admin#tables`);
  await page.getByLabel('Admin token').fill(adminToken);
  await page.keyboard.press('Enter');
  await page.getByRole('row', {name: /public\.orders/}).waitFor();
  await page.getByLabel('Table', {exact: true}).fill('public."Later"');
  await page.getByLabel('Only these columns').fill('id');
  await page.getByRole('button', {name: 'Watch …'}).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(`The bridge connects as ${role}, which may not`).waitFor();
  await dialog.getByText(`rowcast watch 'public."Later"' --columns id`).waitFor();
  await dialog.getByText(`select rowcast.watch('public."Later"', columns => '{id}');`).waitFor();
  assert.equal(await dialog.getByRole('button', {name: 'Watch'}).count(), 0);
});

test('the rules are there as people read them, and a question is answered rule by rule', async (t) => {
  const {page, problems} = await signIn(t);
  await go(page, 'Rules');
  await page.getByText('owner = $claims.sub').waitFor();
  const ask = async (user, roles) => {
    await page.getByLabel('User (sub)').fill(user);
    await page.getByLabel('Roles').fill(roles);
    await page.keyboard.press('Enter');
  };
  await page.getByRole('combobox', {name: 'Table'}).selectOption('public.orders');
  await page.getByRole('textbox', {name: 'Key'}).fill('{"id": 2}');
  await ask('ann', 'user');
  await page.getByRole('heading', {name: 'nothing They do not get it'}).waitFor();
  await page.getByText('owner eq $claims.sub').waitFor();
  await page.getByText(/the row has "bob", compared with "ann"/).waitFor();
  await ask('ann', 'user, support');
  await page.getByRole('heading', {name: 'sent They get it'}).waitFor();
  await page.getByRole('textbox', {name: 'Key'}).fill('{"id": 2');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('the key is no JSON').waitFor();
  await page.getByRole('combobox', {name: 'Row'}).selectOption('a channel');
  await page.getByRole('textbox', {name: 'Channel'}).fill('room:5');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', {name: 'sent They get it'}).waitFor();
  assert.deepEqual(problems, []);
});

test('a percentage is set, polling is forced and lifted, and a reload brings back what is configured', async (t) => {
  const ann = await connect(t, 'ann-of-rollout');
  const {page, problems} = await signIn(t);
  await go(page, 'Rollout');
  await page.getByText('As the configuration says.').waitFor();
  await page.getByRole('slider', {name: 'Server-sent events'}).press('Home');
  await page.getByLabel('Never').fill('bob of rollout\nauth0|ann, of sales');
  await page.getByRole('button', {name: 'Apply'}).click();
  await page.getByText('Not as the configuration says').waitFor();
  const headers = {authorization: `Bearer ${adminToken}`, 'content-type': 'application/json'};
  const now = await (await fetch(`${address}/rollout`, {headers})).json();
  assert.deepEqual([now.websocket, now.sse, now.opt_out, now.force_polling], [100, 0, ['auth0|ann, of sales', 'bob of rollout'], false]);

  await page.getByRole('button', {name: /^Force polling/}).click();
  await page.getByRole('dialog', {name: 'Force polling?'}).getByRole('button', {name: 'Force polling'}).click();
  await ann.hears('closed');
  await page.getByRole('button', {name: 'End forced polling'}).click();
  await page.getByRole('dialog', {name: 'End forced polling?'}).getByRole('button', {name: 'End it'}).click();
  await page.getByRole('button', {name: /^Force polling/}).waitFor();
  await ann.hears('subscribed', 2);

  assert.equal((await fetch(`${address}/reload`, {method: 'POST', headers, body: '{}'})).status, 200);
  await go(page, 'Health');
  await go(page, 'Rollout');
  await page.getByText('As the configuration says.').waitFor();
  assert.deepEqual(problems, []);
});

test("what is wrong with the database is there, with what to do, as rowcast doctor finds it", async (t) => {
  await database.execute('alter table notes disable trigger "!rowcast_update"');
  t.after(() => database.execute('alter table notes enable always trigger "!rowcast_update"'));
  const {page, problems} = await signIn(t);
  await page.getByText('public.notes has disabled triggers').waitFor();
  await go(page, 'Health');
  await page.getByText('alter table only public.notes enable always trigger "!rowcast_update";').waitFor();
  await page.getByRole('table', {name: /^Bridges of this database/}).getByText('connected').waitFor();
  await database.execute('alter table notes enable always trigger "!rowcast_update"');
  await page.getByRole('button', {name: 'Look again'}).click();
  await page.getByText('public.notes has disabled triggers').waitFor({state: 'detached'});
  assert.deepEqual(problems, []);
});

test('all of it can be done with the keyboard alone', async (t) => {
  await connect(t, 'kay-of-keys');
  const {page} = await open(t);
  await page.keyboard.type(adminToken);
  await page.keyboard.press('Enter');
  await page.getByRole('region', {name: 'Now'}).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? '');
  const tabTo = async (wanted) => {
    for (let i = 0; i < 80; ++i) {
      await page.keyboard.press('Tab');
      if (wanted.test(await focused())) return;
    }
    assert.fail(`the focus never comes to ${wanted}`);
  };
  await page.evaluate(() => document.body.focus());
  await tabTo(/^Sessions$/);
  await page.keyboard.press('Enter');
  await sessionOf(page, 'kay-of-keys').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'a new section begins at its begin');
  await tabTo(/^Revoke kay-of-keys/);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({state: 'detached'});
  assert.match(await focused(), /^Revoke kay-of-keys/, 'the focus is where it was');
  // It stays there while the list is brought up to date.
  const later = await connect(t, 'a-later-one');
  await sessionOf(page, 'a-later-one').waitFor();
  assert.match(await focused(), /^Revoke kay-of-keys/);
  await later.page.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`every section is accessible by what axe finds, in ${colorScheme} colours, and fits a telephone`, async (t) => {
    await connect(t, 'axe');
    const {page} = await open(t, {colorScheme});
    await checkAccessibility(page, 'signing in');
    await page.getByLabel('Admin token').fill(adminToken);
    await page.keyboard.press('Enter');
    await page.getByRole('region', {name: 'Now'}).waitFor();
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const brightness = Number(/\d+/.exec(dark)[0]);
    assert.ok(colorScheme === 'dark' ? brightness < 60 : brightness > 200, dark);
    const ready = {Overview: /in \d+ looks|things were looked at/, Sessions: /^\d+ sessions?$/, Tables: 'about', Rules: 'Why does this user', Rollout: /configuration|nothing at/, Health: 'looked at'};
    for (const [name, text] of Object.entries(ready)) {
      await go(page, name);
      await page.getByText(text).first().waitFor();
      await checkAccessibility(page, name);
      await page.setViewportSize({width: 375, height: 800});
      // The plots follow a moment later.
      await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth);
      await page.setViewportSize({width: 1400, height: 900});
    }
    await page.getByRole('button', {name: 'Colours: as the system says'}).click();
    await page.getByRole('button', {name: 'Colours: light'}).waitFor();
    assert.ok(Number(/\d+/.exec(await page.evaluate(() => getComputedStyle(document.body).backgroundColor))[0]) > 200);
    await page.getByRole('button', {name: 'Colours: light'}).click();
    await page.reload();
    await page.getByRole('button', {name: 'Colours: dark'}).waitFor();
    assert.ok(Number(/\d+/.exec(await page.evaluate(() => getComputedStyle(document.body).backgroundColor))[0]) < 60, 'it is remembered');
  });
}

test('a bridge that is gone is told, and found again', async (t) => {
  const separate = await Bridge.start(t, database.url, settings);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${separate.adminPort}/admin`);
  await page.getByLabel('Admin token').fill(adminToken);
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('ready', {exact: true}).waitFor();
  await separate.stop();
  await page.getByRole('status').getByText(/^no answer/).waitFor();
  await separate.start();
  await page.getByRole('status').getByText('ready', {exact: true}).waitFor();
});
