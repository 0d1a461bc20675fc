// Who has the connection, and who is told what, with tabs, time and a network that are made up.
import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import {RowcastError} from '@rowcast/client';
import {acrossTabs} from '@rowcast/client/tabs';
import {scopeOf} from '../src/tabs/scope.js';
import type {WireSubscription} from '../src/transports/transport.js';
import {FakeClock, settle} from './support/clock.js';
import {start} from './support/fake.js';
import {Browser} from './support/tabs.js';

const token = (claims: object, signature = 'x') => `${btoa('{"alg":"HS256"}')}.${btoa(JSON.stringify(claims))}.${signature}`;

/** A tab with one subscription, and what it was told. */
function open(t: TestContext, browser: Browser, clock: FakeClock, give: () => string = () => token({sub: '7'})) {
  const surroundings = browser.tab();
  const {made, client} = start(t, {token: give, clock, through: (openers) => acrossTabs(openers, surroundings)});
  const told: string[] = [];
  const stop = client.table('public.a').subscribe({changes: (changes) => told.push(...changes.map(({id}) => id))});
  return {client, made, told, stop, surroundings, freeze: (frozen: boolean) => void (surroundings.frozen = frozen)};
}

/** Two tabs; the first has the connection, which works. */
async function openTwo(t: TestContext, giveFirst?: () => string, giveSecond?: () => string) {
  const [browser, clock] = [new Browser(), new FakeClock()];
  const first = open(t, browser, clock, giveFirst);
  await settle();
  const connection = first.made[0]!;
  connection.works();
  const second = open(t, browser, clock, giveSecond);
  await settle();
  return {browser, clock, first, second, connection};
}

const change = (id: string, subs: readonly string[]) => ({type: 'changes', cursor: `c${id}`, events: [{id, tx: id, subs}], more: false}) as const;

test('the second tab is on the connection of the first, and each is told its own', async (t) => {
  const [browser, clock] = [new Browser(), new FakeClock()];
  const first = open(t, browser, clock);
  await settle();
  const connection = first.made[0]!;
  const [{id: one}] = connection.added as [WireSubscription];
  connection.works();
  await settle();
  const second = open(t, browser, clock);
  await settle();
  assert.deepEqual([first.made.length, second.made.length], [1, 0]);
  const [{id: two}] = connection.added as [WireSubscription];
  connection.answers();
  await settle();
  assert.deepEqual([first.client.status.state, second.client.status.state], ['live', 'live']);
  connection.listener.frame(change('1', [one, two]));
  connection.listener.frame(change('2', [two]));
  connection.listener.frame({...change('3', [one]), ids: [one]});
  await settle();
  assert.deepEqual([first.told, second.told], [['1', '3'], ['1', '2']]);
  second.stop();
  await clock.advance(5000);
  assert.deepEqual(connection.removed, [two]);
  first.stop();
  await clock.advance(5000);
  assert.ok(connection.closed);
});

test('when the first tab wants nothing any more it still serves the second; after both the lock is free', async (t) => {
  const {browser, clock, first, second} = await openTwo(t);
  first.stop();
  await clock.advance(10_000);
  first.made[0]!.answers();
  await settle();
  assert.equal(second.client.status.state, 'live');
  assert.equal(second.made.length, 0);
  second.stop();
  await clock.advance(10_000);
  assert.ok(first.made[0]!.closed);
  const third = open(t, browser, clock);
  await settle();
  assert.equal(third.made.length, 1);
});

test('from a tab that is frozen the lead is taken; when it is back it follows, from its own place', async (t) => {
  const [browser, clock] = [new Browser(), new FakeClock()];
  const first = open(t, browser, clock);
  await settle();
  const [{id: one}] = first.made[0]!.added as [WireSubscription];
  first.made[0]!.works();
  const second = open(t, browser, clock);
  await settle();
  first.made[0]!.answers();
  first.made[0]!.listener.frame(change('1', [one]));
  await settle();
  first.freeze(true);
  await clock.advance(10_000);
  assert.equal(second.made.length, 1);
  second.made[0]!.works();
  await settle();
  assert.equal(second.client.status.state, 'live');
  first.freeze(false);
  await clock.advance(10_000);
  assert.ok(first.made[0]!.closed);
  const again = second.made[0]!.added.find(({after}) => after === 'c1');
  assert.ok(again, 'the first tab goes on from where it was');
  assert.deepEqual([first.made.length, second.made.length], [1, 1]);
});

test('a token that was refused is the fault of the tab that gave it: the others go on with theirs', async (t) => {
  const asked = {first: 0, second: 0};
  const {first, second} = await openTwo(t, () => token({sub: '7', jti: `first ${++asked.first}`}), () => token({sub: '7', jti: `second ${asked.second++ && 'the same'}`}));
  first.made[0]!.answers();
  await settle();
  first.made[0]!.fails('token_expired');
  await settle();
  first.made[1]!.works();
  await settle();
  assert.deepEqual([first.client.status.state, second.client.status.state], ['live', 'live']);
  assert.equal(second.client.status.error, undefined);
  assert.equal(first.made.length, 2);
});

test('who gave the token is told that it expires, and its next one is everybody\'s; one with other rights moves to a connection of its own', async (t) => {
  const given = {first: token({sub: '7', jti: '1'}), second: token({sub: '7', jti: '2'})};
  const {clock, first, second, connection} = await openTwo(t, () => given.first, () => given.second);
  connection.answers();
  given.first = token({sub: '7', jti: '3'});
  connection.listener.expiring(60_000);
  await clock.advance(40_000);
  assert.deepEqual(connection.tokens, [given.first]);
  given.first = token({sub: '7', roles: ['other'], jti: '4'});
  connection.listener.expiring(60_000);
  await clock.advance(40_000);
  assert.deepEqual(connection.tokens.length, 1);
  assert.equal(first.made[1]!.setting.token, given.first);
  assert.ok(!connection.closed, 'it is still the second tab\'s');
  assert.equal(second.client.status.state, 'live');
});

test('a tab that takes nothing is left, with a bounded number of events on their way to it', async (t) => {
  const {second, connection} = await openTwo(t);
  const [{id}] = connection.added as [WireSubscription];
  connection.answers();
  await settle();
  second.freeze(true);
  const events = Array.from({length: 1000}, (_, index) => ({id: `${index}`, tx: 't', subs: [id]}));
  for (let each = 0; each < 101; ++each) connection.listener.frame({type: 'changes', ids: [id], cursor: 'c', events, more: false});
  assert.deepEqual(connection.removed, [id]);
});

test('where a session has no room for the subscriptions of all tabs there is another one', async (t) => {
  const {first, second, connection} = await openTwo(t);
  const [{id}] = connection.added.splice(0) as [WireSubscription];
  connection.listener.frame({type: 'refused', id, error: new RowcastError('too_many_subscriptions', '100 of 100')});
  await settle();
  assert.equal(first.made.length, 2);
  first.made[1]!.works();
  await settle();
  assert.deepEqual([first.client.status.state, second.client.status.state, connection.closed], ['live', 'live', false]);
  assert.deepEqual(second.client.status.error, undefined);
  // Alone on a connection, it is told: there is nowhere else to go.
  second.client.table('public.b').subscribe({});
  await settle();
  const [{id: other}] = first.made[1]!.added.splice(0) as [WireSubscription];
  first.made[1]!.listener.frame({type: 'refused', id: other, error: new RowcastError('too_many_subscriptions', '100 of 100')});
  await settle();
  assert.equal(first.made.length, 2);
});

test('where locks may not be asked for, each tab has a connection of its own', async (t) => {
  const [browser, clock] = [new Browser(), new FakeClock()];
  browser.forbidden = true;
  const tabs = [open(t, browser, clock), open(t, browser, clock)];
  await clock.advance(5000);
  assert.deepEqual(tabs.map(({made}) => made.length), [1, 1]);
});

test('what makes tokens different that say the same does not part tabs; anything else does', () => {
  const scope = (claims: object, url = 'http://a') => scopeOf(url, token(claims));
  assert.equal(scope({sub: '7', exp: 1, jti: 'a', roles: ['x']}), scope({roles: ['x'], sub: '7', exp: 2, jti: 'b', iat: 3, nbf: 4}));
  const all = [scope({sub: '7'}), scope({sub: '8'}), scope({sub: '7', roles: []}), scope({sub: '7'}, 'http://b'), scopeOf('http://a', undefined), scopeOf('http://a', 'no token'), scopeOf('http://a', 'nor this')];
  assert.equal(new Set(all).size, all.length);
});
