// The client between a state machine and connections, with time and a network that are made up.
import assert from 'node:assert/strict';
import test from 'node:test';
import {transports} from '../src/machine.js';
import {RowcastError} from '../src/problem.js';
import type {WireEvent} from '../src/protocol.js';
import type {WireSubscription} from '../src/transports/transport.js';
import {updates} from '../src/updates.js';
import {settle} from './support/clock.js';
import {offers, start} from './support/fake.js';

const event = (id: string, subs: readonly string[], tx = 't'): WireEvent => ({id, tx, subs});

test('nothing happens before there is a subscription; one brings a token, the offer, and the best transport', async (t) => {
  const {client, made, asked, last} = start(t, {token: () => 'abc'});
  await settle();
  assert.deepEqual([client.status.state, asked], ['idle', []]);
  client.table('public.a').subscribe({});
  assert.equal(client.status.state, 'connecting');
  await settle();
  assert.deepEqual(asked, [{path: '/v1/session', token: 'Bearer abc'}]);
  assert.equal(made.length, 1);
  assert.deepEqual(last().setting.token, 'abc');
  last().works();
  assert.deepEqual(client.status, {state: 'live', transport: 'websocket', error: undefined});
});

test('a server without /v1/session offers everything', async (t) => {
  const {client, last} = start(t, {answer: () => ({status: 404, body: {code: 'not_found', title: ''}})});
  client.table('public.a').subscribe({});
  await settle();
  assert.equal(last().transport, 'websocket');
});

test('the next connection goes on from the last place, also in the midst of a transaction', async (t) => {
  const {client, clock, last} = start(t);
  const told: string[] = [];
  client.table('public.a').subscribe({changes: (changes) => told.push(...changes.map(({id}) => id))});
  await settle();
  const [{id}] = last().added as [WireSubscription];
  last().works('c1');
  last().listener.frame({type: 'changes', cursor: 'c2', events: [event('1', [id])], more: false});
  last().listener.frame({type: 'changes', cursor: 'c3', events: [event('2', [id])], more: true});
  last().fails();
  await clock.advance(60_000);
  const [again] = last().added as [WireSubscription];
  assert.equal(again.after, 'c3');
  last().works();
  assert.deepEqual(told, ['1'], 'half of a transaction is kept back');
  last().listener.frame({type: 'changes', ids: [again.id], cursor: 'c4', events: [event('3', [again.id])], more: false});
  assert.deepEqual(told, ['1', '2', '3']);
});

test('all that are live move with what one of them gets; one that catches up does not', async (t) => {
  const {client, clock, last} = start(t);
  client.table('public.a').subscribe({});
  client.table('public.b').subscribe({});
  await settle();
  const [a, b] = last().added.splice(0) as [WireSubscription, WireSubscription];
  last().listener.opened();
  last().listener.frame({type: 'subscribed', id: a.id, status: 'live', cursor: 'c1'});
  last().listener.frame({type: 'subscribed', id: b.id, status: 'resumed', cursor: 'b1'});
  last().listener.frame({type: 'changes', ids: [b.id], cursor: 'b2', events: [], more: false});
  last().listener.frame({type: 'changes', cursor: 'c2', events: [event('1', [a.id])], more: false});
  const before = last();
  before.fails();
  await clock.advance(60_000);
  assert.deepEqual(last().added.map(({after}) => after), ['c2', 'b2']);
  const [c, d] = last().added.splice(0) as [WireSubscription, WireSubscription];
  last().listener.opened();
  last().listener.frame({type: 'subscribed', id: c.id, status: 'live', cursor: 'c2'});
  last().listener.frame({type: 'subscribed', id: d.id, status: 'resumed', cursor: 'b2'});
  last().listener.frame({type: 'changes', ids: [d.id], cursor: 'c3', events: [], more: false, live: true});
  last().listener.frame({type: 'changes', cursor: 'c4', events: [], more: false});
  last().fails();
  await clock.advance(60_000);
  assert.deepEqual(last().added.map(({after}) => after), ['c4', 'c4']);
});

test('what a connection says after it was left is not heard', async (t) => {
  const {client, made, clock} = start(t);
  const told: string[] = [];
  client.table('public.a').subscribe({changes: (changes) => told.push(...changes.map(({id}) => id))});
  await settle();
  const [{id}] = made[0]!.added as [WireSubscription];
  made[0]!.works();
  made[0]!.fails();
  await clock.advance(60_000);
  made[0]!.listener.frame({type: 'changes', cursor: 'z', events: [event('9', [id])], more: false});
  made[0]!.fails();
  assert.ok(made[0]!.closed);
  assert.deepEqual(told, []);
  assert.equal(made.length, 2);
});

test('a resync is told, and the subscription begins anew with what is now', async (t) => {
  const {client, last} = start(t);
  const resets: string[] = [];
  client.table('public.a').subscribe({reset: (reason) => resets.push(reason)});
  await settle();
  const [{id}] = last().added as [WireSubscription];
  last().works();
  last().listener.frame({type: 'resync', id, reason: 'permissions_changed'});
  assert.deepEqual(resets, ['permissions_changed']);
  assert.deepEqual(last().removed, [id]);
  const [{after, anew, id: other}] = last().added as [WireSubscription];
  assert.deepEqual([after, anew], [undefined, true]);
  assert.notEqual(other, id);
});

test('a transaction that is too large is a reset', async (t) => {
  const {client, last} = start(t, {limits: {transaction: 2}});
  const resets: string[] = [];
  client.table('public.a').subscribe({reset: (reason) => resets.push(reason)});
  await settle();
  const [{id}] = last().added as [WireSubscription];
  last().works();
  last().listener.frame({type: 'changes', cursor: 'd', events: [event('1', [id]), event('2', [id]), event('3', [id])], more: true});
  assert.deepEqual(resets, ['transaction_too_large']);
});

test('what the server cannot serve now is asked for again, what it will not is not', async (t) => {
  const {client, clock, last} = start(t);
  const errors: string[] = [];
  client.table('public.a').subscribe({error: ({code}) => errors.push(code)});
  client.table('public.b').subscribe({error: ({code}) => errors.push(code)});
  await settle();
  const [a, b] = last().added.splice(0) as [WireSubscription, WireSubscription];
  last().listener.opened();
  last().listener.frame({type: 'refused', id: a.id, error: new RowcastError('unavailable', '')});
  last().listener.frame({type: 'refused', id: b.id, error: new RowcastError('forbidden', '')});
  assert.deepEqual(errors, ['forbidden']);
  await clock.advance(5000);
  assert.deepEqual(last().added.map(({wish}) => wish), [{table: 'public.a'}]);
});

test('an application that throws is told of it, and nobody else suffers', async (t) => {
  const {client, last} = start(t);
  const thrown: unknown[] = [];
  const listeners = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  const told: string[] = [];
  client.table('public.a').subscribe({changes: () => {
    throw new Error('mine');
  }});
  client.table('public.a').subscribe({changes: (changes) => told.push(...changes.map(({id}) => id))});
  await settle();
  const ids = last().added.map(({id}) => id);
  last().works();
  last().listener.frame({type: 'changes', cursor: 'd', events: [event('1', ids)], more: false});
  await settle();
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
  assert.deepEqual(told, ['1']);
  assert.deepEqual(thrown.map((error) => (error as Error).message), ['mine']);
});

test('who leaves while something is handed over gets nothing more', async (t) => {
  const {client, last} = start(t);
  const told: string[] = [];
  let stop = () => {};
  client.table('public.a').subscribe({changes: () => stop()});
  stop = client.table('public.a').subscribe({changes: () => told.push('too late')});
  await settle();
  const ids = last().added.map(({id}) => id);
  last().works();
  last().listener.frame({type: 'changes', cursor: 'd', events: [event('1', ids)], more: false});
  assert.deepEqual(told, []);
});

test('leaving and coming back at once keeps the connection', async (t) => {
  const {client, clock, made, last} = start(t);
  const stop = client.table('public.a').subscribe({});
  await settle();
  last().works();
  stop();
  client.table('public.a').subscribe({});
  await clock.advance(60_000);
  assert.equal(made.length, 1);
  assert.ok(!last().closed);
});

test('a token is renewed on the way, and one that could not be is no end', async (t) => {
  let next = 1;
  const {client, clock, last} = start(t, {token: () => {
    if (next === 2) throw new Error('not now');
    return `t${next++}`;
  }});
  client.table('public.a').subscribe({});
  await settle();
  last().works();
  last().listener.expiring(60_000);
  await clock.advance(29_000);
  assert.deepEqual(last().tokens, []);
  await clock.advance(2_000);
  assert.equal(client.status.error?.code, 'token');
  assert.equal(client.status.state, 'live');
  next = 3;
  last().listener.expiring(20_000);
  await clock.advance(10_000);
  assert.deepEqual(last().tokens, ['t3']);
});

test('rows are asked for as soon as there is a token, for all together, and changes follow from their cursor', async (t) => {
  const {client, asked, last} = start(t, {answer: (path) => (path.startsWith('/v1/rows') ? {body: {rows: {0: [{id: 1}], 1: []}, more: false, cursor: 'r'}} : {body: offers})});
  const told: unknown[] = [];
  client.table('public.a').where({id: 1}).subscribe({rows: (rows) => told.push(rows)});
  client.table('public.b').subscribe({rows: (rows) => told.push(rows)});
  await settle();
  assert.equal(asked.filter(({path}) => path.startsWith('/v1/rows')).length, 1);
  assert.deepEqual(told, [[{id: 1}], []], 'before the transport is open');
  assert.deepEqual(last().added.map(({after}) => after), ['r', 'r']);
});

test('rows that cannot be read now are asked for when the server says', async (t) => {
  let busy = true;
  const {client, clock, asked} = start(t, {answer: (path) => {
    if (!path.startsWith('/v1/rows')) return {body: offers};
    return busy ? {status: 503, body: {code: 'too_many_readings', title: ''}, headers: {'retry-after': '5'}} : {body: {rows: {0: []}, more: false, cursor: 'r'}};
  }});
  let read = 0;
  client.table('public.a').subscribe({rows: () => ++read});
  await settle();
  busy = false;
  await clock.advance(4_900);
  assert.equal(asked.filter(({path}) => path.startsWith('/v1/rows')).length, 1);
  await clock.advance(200);
  assert.equal(read, 1);
});

test('rows that broke off on the way are not the rows', async (t) => {
  let broken = true;
  const {client, clock} = start(t, {answer: (path) => {
    if (!path.startsWith('/v1/rows')) return {body: offers};
    return {body: broken ? {rows: {0: [{id: 1}]}, error: {code: 'rows_timeout', message: ''}} : {rows: {0: [{id: 1}, {id: 2}]}, more: false, cursor: 'r'}};
  }});
  const told: unknown[] = [];
  client.table('public.a').subscribe({rows: (rows) => told.push(rows)});
  await settle();
  broken = false;
  await clock.advance(60_000);
  assert.deepEqual(told, [[{id: 1}, {id: 2}]]);
});

test('a better transport is looked for beside the one in use, and moved to without a word', async (t) => {
  const {client, clock, made, last} = start(t);
  const states: string[] = [];
  client.onStatus(({state}) => states.push(state));
  client.table('public.a').subscribe({});
  await settle();
  last().fails();
  last().works('c1');
  assert.equal(client.status.transport, 'sse');
  states.length = 0;
  await clock.advance(15_000);
  const probe = last();
  assert.deepEqual([probe.transport, made[1]!.closed], ['websocket', false]);
  probe.listener.opened();
  assert.ok(probe.closed && made[1]!.closed);
  assert.deepEqual(last().added.map(({after}) => after), ['c1']);
  last().works();
  assert.deepEqual(client.status.transport, 'websocket');
  assert.deepEqual(new Set(states), new Set(['live']));
});

test('when the server offers more than it did, the client moves up without a word', async (t) => {
  let transports = ['poll'];
  const {client, clock, last, asked} = start(t, {answer: () => ({body: {...offers, transports}})});
  client.table('public.a').subscribe({});
  await settle();
  last().works('c1');
  assert.equal(client.status.transport, 'longpoll');
  await clock.advance(15_000);
  await settle();
  assert.equal(asked.filter(({path}) => path === '/v1/session').length, 2);
  assert.equal(client.status.transport, 'longpoll');
  transports = ['websocket', 'poll'];
  await clock.advance(60_000);
  await settle();
  const probe = last();
  assert.equal(probe.transport, 'websocket');
  probe.listener.opened();
  assert.deepEqual(last().added.map(({after}) => after), ['c1']);
  last().works();
  assert.equal(client.status.transport, 'websocket');
});

test('forced polling, and the way back', async (t) => {
  const {client, last} = start(t);
  client.table('public.a').subscribe({});
  await settle();
  last().works();
  client.use(['poll']);
  await settle();
  assert.equal(last().transport, 'poll');
  last().works();
  assert.equal(client.status.state, 'polling');
  client.use(transports);
  await settle();
  assert.equal(last().transport, 'websocket');
});

test('an end for good is told to every subscription', async (t) => {
  const {client, last} = start(t);
  const errors: string[] = [];
  client.table('public.a').subscribe({error: ({code}) => errors.push(code)});
  await settle();
  last().fails('forbidden');
  assert.deepEqual(errors, ['forbidden']);
  assert.equal(client.status.state, 'closed');
  client.table('public.b').subscribe({error: ({code}) => errors.push(code)});
  await settle();
  assert.deepEqual(errors, ['forbidden', 'closed']);
});

test('an iteration that is too slow gets a reset in place of what waited', async (t) => {
  const {client, last} = start(t, {limits: {queue: 2}});
  const iteration = updates(client.table('public.a'), {rows: false});
  const first = iteration.next();
  await settle();
  const [{id}] = last().added as [WireSubscription];
  last().works();
  const say = (each: string) => last().listener.frame({type: 'changes', cursor: each, events: [event(each, [id])], more: false});
  say('1');
  assert.equal((await first).value!.type, 'changes');
  for (const each of ['2', '3', '4']) say(each);
  const next = (await iteration.next()).value!;
  assert.deepEqual(next, {type: 'reset', reason: 'too_slow'});
  assert.deepEqual(last().removed, [id]);
  assert.equal(last().added.length, 1, 'and it is subscribed anew');
  await iteration.return();
});

test('a cursor in the storage is gone on from, and kept', async (t) => {
  const kept = new Map([['rowcast:mine', 'k']]);
  const storage = {getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key)};
  const {client, last} = start(t, {storage});
  client.table('public.a').subscribe({}, {resume: 'mine'});
  await settle();
  const [{id, after}] = last().added as [WireSubscription];
  assert.equal(after, 'k');
  last().works();
  last().listener.frame({type: 'changes', ids: [id], cursor: 'l', events: [], more: false});
  assert.equal(kept.get('rowcast:mine'), 'l');
});

test('rows that cannot be asked for are an error of their own subscription, also where others are asked for with it', async (t) => {
  const {client} = start(t, {answer: (path) => (path.startsWith('/v1/rows') ? {body: {rows: {0: [{id: 1}]}, more: false, cursor: 'r'}} : {body: offers})});
  const told: unknown[] = [];
  client.table('public.a').where({name: {like: 'a*b'}}).subscribe({rows: () => told.push('no'), error: ({code}) => told.push(code)});
  client.table('public.b').subscribe({rows: (rows) => told.push(rows)});
  await settle();
  assert.deepEqual(told, ['bad_filter', [{id: 1}]]);
});

test('more rows than one URL can ask for are asked for by several', async (t) => {
  const asked: string[] = [];
  const {client} = start(t, {answer: (path) => {
    if (!path.startsWith('/v1/rows')) return {body: offers};
    asked.push(path);
    const names = [...new URL(path, 'http://h').searchParams.getAll('sub')].map((each) => each.slice(0, each.indexOf(':')));
    return {body: {rows: Object.fromEntries(names.map((name) => [name, []])), more: false, cursor: 'r'}};
  }});
  let read = 0;
  for (let each = 0; each < 30; ++each) client.table('public.a').where({name: 'x'.repeat(900), id: each}).subscribe({rows: () => ++read});
  for (let turn = 0; turn < 20; ++turn) await settle();
  assert.equal(read, 30);
  assert.ok(asked.every((path) => path.length < 8000) && asked.length > 3, asked.map(({length}) => length).join());
});

test('it is the newest token of a connection that was refused, and not the one that it was opened with', async (t) => {
  const given = ['a', 'b', 'b', 'c'];
  const {client, clock, asked, last} = start(t, {token: () => given.shift() ?? 'd'});
  client.table('public.a').subscribe({});
  await settle();
  last().works();
  last().listener.expiring(1000);
  await clock.advance(500);
  assert.deepEqual(last().tokens, ['b']);
  last().fails('token_revoked');
  await clock.advance(60_000);
  assert.deepEqual(asked.map(({token}) => token), ['Bearer a', 'Bearer c'], 'b is not tried again');
});

test('who leaves when told of a reset is told nothing more', async (t) => {
  const {client, last} = start(t);
  const told: string[] = [];
  const stop = client.table('public.a').subscribe({live: () => told.push('live'), reset: () => stop()});
  await settle();
  const [{id}] = last().added as [WireSubscription];
  last().listener.opened();
  last().listener.frame({type: 'subscribed', id, status: 'reset', reason: 'cursor_expired', cursor: 'c'});
  assert.deepEqual(told, []);
});
