import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import {answered, Conflict, MemoryStorage, Outbox, type OutboxOptions} from '@rowcast/client/outbox';
import type {Signal} from '../src/platform.js';
import {FakeClock, settle} from './support/clock.js';
import {Browser} from './support/tabs.js';

type Try = {readonly action: string; readonly key: string; done: (result?: string) => Promise<void>; fails: (error: Error) => Promise<void>};

/** A server that keeps everybody waiting, and the tabs of its user. */
function set(t: TestContext) {
  const [browser, clock, storage] = [new Browser(), new FakeClock(), new MemoryStorage<string>()];
  const tries: Try[] = [];
  const tellers: ((signal: Signal) => void)[] = [];
  const tab = (options: Partial<OutboxOptions<string, string>> = {}) => {
    const outbox = new Outbox<string, string>({
      name: 'a', storage, clock, random: () => 1, ...browser.tab(),
      watch: (tell) => {
        tellers.push(tell);
        return () => {};
      },
      send: (action, {idempotencyKey}) => new Promise((resolve, reject) => {
        tries.push({
          action, key: idempotencyKey,
          done: (result = `done ${action}`) => (resolve(result), settle()),
          fails: (error) => (reject(error), settle()),
        });
      }),
      ...options,
    });
    t.after(() => outbox.close());
    return outbox;
  };
  return {browser, clock, storage, tries, tab, signal: (each: Signal) => tellers.forEach((tell) => tell(each))};
}

const waiting = (outbox: Outbox<string, string>) => outbox.snapshot.entries.map(({action}) => action);

test('actions are done one after the other, in their order, and each tells its result', async (t) => {
  const {tries, tab} = set(t);
  const outbox = tab();
  const added = ['a', 'b', 'c'].map((action) => outbox.add(action));
  await settle();
  assert.deepEqual([tries.map(({action}) => action), waiting(outbox)], [['a'], ['a', 'b', 'c']]);
  await tries[0]!.done();
  assert.equal(await added[0]!.done, 'done a');
  assert.deepEqual([tries.map(({action}) => action), waiting(outbox)], [['a', 'b'], ['b', 'c']]);
  await tries[1]!.done();
  await tries[2]!.done();
  assert.deepEqual(waiting(outbox), []);
  assert.equal(new Set(tries.map(({key}) => key)).size, 3);
});

test('what fails is tried again with the same key, after a pause that doubles and has an end, or that the server named', async (t) => {
  const {tries, tab, clock} = set(t);
  const outbox = tab({limits: {backoff: 1000, backoffMost: 5000}});
  const {done} = outbox.add('a');
  outbox.add('b');
  await settle();
  for (const [pause, error] of [[1000], [2000], [4000], [5000], [5000], [90_000, Object.assign(new Error(), {wait: 90_000})]] as [number, Error?][]) {
    const before = tries.length;
    await tries.at(-1)!.fails(error ?? new Error('no network'));
    await clock.advance(pause - 1);
    assert.equal(tries.length, before, `before ${pause}`);
    await clock.advance(1);
    assert.equal(tries.length, before + 1, `after ${pause}`);
  }
  assert.deepEqual(new Set(tries.map(({action, key}) => `${action} ${key}`)).size, 1, 'nothing overtakes it');
  await tries.at(-1)!.done();
  assert.equal(await done, 'done a');
  assert.equal(tries.at(-1)!.action, 'b');
});

test('without a network nothing is tried, and its return ends a pause', async (t) => {
  const {tries, tab, signal} = set(t);
  const outbox = tab();
  signal('offline');
  outbox.add('a');
  await settle();
  assert.equal(tries.length, 0);
  signal('online');
  await settle();
  await tries[0]!.fails(new Error('not yet'));
  assert.equal(tries.length, 1);
  signal('online');
  await settle();
  assert.equal(tries.length, 2);
});

test('a try that takes too long is a failed one, and is told to stop', async (t) => {
  const {tab, clock} = set(t);
  const signals: AbortSignal[] = [];
  const outbox = tab({limits: {patience: 1000}, send: (_, {signal}) => new Promise(() => signals.push(signal))});
  outbox.add('a');
  await clock.advance(1000);
  assert.deepEqual([signals.length, signals[0]!.aborted, (outbox.snapshot.error as {code?: string}).code], [1, true, 'timeout']);
  await clock.advance(1000);
  assert.equal(signals.length, 2);
});

test('what meets a conflict is given up, tried again, or replaced in its place, as the application says', async (t) => {
  const {tries, tab, clock} = set(t);
  const outbox = tab({conflict: ({action}, {detail}) => (detail === 'again' ? 'retry' : action === 'a' ? {replace: 'a2'} : 'drop')});
  const first = outbox.add('a');
  const second = outbox.add('b');
  await settle();
  await tries[0]!.fails(new Conflict('no', 'again'));
  await clock.advance(1000);
  await tries[1]!.fails(new Conflict('no'));
  assert.deepEqual(waiting(outbox), ['a2', 'b']);
  assert.equal(tries[0]!.key, tries[1]!.key);
  assert.notEqual(tries[1]!.key, tries[2]!.key, 'it is another action to the server');
  await tries[2]!.done();
  assert.equal(await first.done, 'done a2');
  await tries[3]!.fails(new Conflict('gone', 42));
  await assert.rejects(second.done, (error) => error instanceof Conflict && error.message === 'gone' && error.detail === 42);
  assert.deepEqual(waiting(outbox), []);
});

test('there is a limit to how many wait, how large they are, and how long', async (t) => {
  const {tries, tab, clock} = set(t);
  const outbox = tab({limits: {actions: 3, bytes: 100, age: 10_000, backoff: 1_000_000, backoffMost: 1_000_000}});
  await assert.rejects(outbox.add('x'.repeat(100)).stored, {code: 'outbox_full'});
  const [first, ...rest] = ['a', 'b', 'c', 'd'].map((action) => outbox.add(action));
  await assert.rejects(rest[2]!.stored, {code: 'outbox_full'});
  await assert.rejects(rest[2]!.done);
  await settle();
  await tries[0]!.fails(new Error('no'));
  await clock.advance(1_000_000);
  await assert.rejects(first!.done, {code: 'too_old'});
  assert.deepEqual(waiting(outbox), []);
});

test('what waits is there after a reload, under the same key, and may be removed', async (t) => {
  const {tries, tab} = set(t);
  const before = tab();
  before.add('a');
  const {id} = before.add('b');
  await settle();
  before.close();
  const after = tab();
  await settle();
  assert.deepEqual(waiting(after), ['a', 'b']);
  assert.deepEqual([tries[1]!.action, tries[1]!.key], ['a', tries[0]!.key]);
  const removed = after.remove(id);
  await tries[1]!.done();
  assert.equal(await removed, true);
  assert.equal(await after.remove(id), false);
  await settle();
  assert.deepEqual([waiting(after), tries.length], [[], 2]);
});

test('several tabs do each action once, in one order, and whoever added it hears of it', async (t) => {
  const {tries, tab} = set(t);
  const tabs = [tab(), tab(), tab()];
  const added = [0, 1, 2, 1, 0].map((each, index) => tabs[each]!.add(`${index}`));
  await settle();
  for (let each = 0; each < 5; ++each) {
    assert.equal(tries.length, each + 1);
    assert.deepEqual(waiting(tabs[each % 3]!), ['0', '1', '2', '3', '4'].slice(each));
    await tries[each]!.done();
  }
  assert.deepEqual(await Promise.all(added.map(({done}) => done)), ['0', '1', '2', '3', '4'].map((each) => `done ${each}`));
  assert.equal(tries.length, 5);
});

test('a result that cannot be copied is told to its own tab, and that it is done to the others', async (t) => {
  const {tab} = set(t);
  const made = () => new Response('');
  const options = {send: async () => made()} as never;
  const [sender, other] = [tab(options), tab(options)];
  const {done} = sender.add('a');
  const elsewhere = other.add('b');
  assert.ok([(await done) as unknown, (await elsewhere.done) as unknown].every((each) => each === undefined || each instanceof Response));
  await settle();
  assert.deepEqual([waiting(sender), waiting(other), sender.snapshot.error], [[], [], undefined]);
});

test('a pause holds for all tabs', async (t) => {
  const {tries, tab, clock} = set(t);
  const tabs = [tab(), tab()];
  tabs[0]!.add('a');
  await settle();
  await tries[0]!.fails(new Error('no'));
  await clock.advance(999);
  tabs[1]!.add('b');
  await settle();
  assert.equal(tries.length, 1);
  await clock.advance(1);
  assert.equal(tries.length, 2);
});

test('from a tab that is frozen while it tries, another one takes over, under the same key', async (t) => {
  const {tries, tab, clock} = set(t);
  const frozen = new FakeClock();
  tab({clock: frozen}).add('a');
  await settle();
  tab();
  await clock.advance(60_000);
  assert.deepEqual(tries.map(({action}) => action), ['a', 'a']);
  assert.equal(tries[0]!.key, tries[1]!.key);
});

test('answers say whether to try again', async () => {
  assert.equal((await answered(new Response(null, {status: 204}))).status, 204);
  for (const status of [400, 404, 409, 422]) await assert.rejects(answered(new Response('why', {status})), (error) => error instanceof Conflict && (error.detail as {body: string}).body === 'why');
  for (const status of [401, 408, 429, 500, 503]) await assert.rejects(answered(new Response('', {status, headers: {'retry-after': '7'}})), {code: `http_${status}`, wait: 7000});
});
