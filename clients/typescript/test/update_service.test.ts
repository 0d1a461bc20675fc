import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import {RowcastError} from '../src/problem.js';
import type {WireSubscription} from '../src/transports/transport.js';
import {UpdateService} from '../src/update_service.js';
import {settle} from './support/clock.js';
import {start} from './support/fake.js';

/** A service whose readings are answered by hand, in the order in which they were asked for. */
async function begin(t: TestContext) {
  const all = start(t);
  const readings: {resolve: (value: string) => void; reject: (error: Error) => void}[] = [];
  const service = new UpdateService<string>(
    all.client, () => new Promise((resolve, reject) => readings.push({resolve, reject})), {watch: ['public.jobs'], pollingInterval: 1000, fallbackDelay: 300});
  const told: [string, string][] = [];
  service.onUpdate((data, source) => told.push([data, source]));
  t.after(() => service.stop());
  service.start();
  await settle();
  const [{id}] = all.last().added as [WireSubscription];
  const change = async () => {
    all.last().listener.frame({type: 'changes', ids: [id], cursor: 'd', events: [{subs: [id], id: `${Math.random()}`, tx: 't'}], more: false});
    await settle();
  };
  const answer = async (value: string | Error) => {
    const {resolve, reject} = readings.shift()!;
    if (typeof value === 'string') resolve(value);
    else reject(value);
    await settle();
  };
  const live = async () => {
    all.last().works();
    await settle();
  };
  return {...all, service, readings, told, id, change, answer, live};
}

test('it reads at first, again when it is live (something may have been missed), and with every change', async (t) => {
  const {answer, live, change, told, readings} = await begin(t);
  await answer('a');
  await live();
  await answer('b');
  await change();
  await answer('c');
  assert.deepEqual(told, [['a', 'start'], ['b', 'change'], ['c', 'change']]);
  assert.equal(readings.length, 0);
});

test('changes while something is being read make one more reading, not one each', async (t) => {
  const {answer, live, change, readings, service} = await begin(t);
  await live();
  for (let each = 0; each < 10; ++each) await change();
  assert.equal(readings.length, 1, 'never twice at a time');
  await answer('old');
  assert.equal(readings.length, 1);
  assert.equal(service.snapshot.loading, true);
  await answer('new');
  assert.equal(readings.length, 0);
  assert.deepEqual([service.snapshot.data, service.snapshot.loading], ['new', false]);
});

test('while nobody would tell it polls, and stops as soon as somebody does', async (t) => {
  const {answer, live, clock, last, readings, service} = await begin(t);
  await answer('a');
  await live();
  await answer('b');
  last().fails('unreachable', 60_000);
  await clock.advance(299);
  assert.equal(readings.length, 0);
  await clock.advance(1);
  await answer('c');
  assert.equal(service.snapshot.updateSource, 'polling');
  await clock.advance(1000);
  await answer('d');
  assert.deepEqual([service.snapshot.data, service.snapshot.connectionStatus.state], ['d', 'offline']);
  await clock.advance(58_000);
  while (readings.length) await answer('e');
  await clock.advance(2000);
  while (readings.length) await answer('f');
  await live();
  while (readings.length) await answer('g');
  await clock.advance(60_000);
  assert.equal(readings.length, 0);
});

test('a reading that fails is told, keeps what there was, and is not the last', async (t) => {
  const {answer, live, change, service} = await begin(t);
  const errors: unknown[] = [];
  service.onError((error) => errors.push((error as Error).message));
  await answer('a');
  await live();
  await answer(new Error('no'));
  assert.deepEqual([service.snapshot.data, errors], ['a', ['no']]);
  await change();
  await answer('b');
  assert.deepEqual([service.snapshot.data, service.snapshot.error], ['b', undefined]);
});

test('a table that may not be watched is polled', async (t) => {
  const {answer, clock, last, id, readings, service} = await begin(t);
  await answer('a');
  last().listener.opened();
  last().listener.frame({type: 'refused', id, error: new RowcastError('forbidden', 'no')});
  assert.equal((service.snapshot.error as RowcastError).code, 'forbidden');
  await clock.advance(300);
  assert.equal(readings.length, 1);
});

test('refresh() resolves with something read after it was called', async (t) => {
  const {answer, service} = await begin(t);
  let data: string | undefined;
  void service.refresh().then(() => (data = service.snapshot.data));
  await answer('before');
  assert.equal(data, undefined);
  await answer('after');
  assert.equal(data, 'after');
});

test('after stop() nothing is told, and nothing is read', async (t) => {
  const {answer, live, clock, told, service, readings} = await begin(t);
  await live();
  service.stop();
  await answer('late');
  await clock.advance(60_000);
  assert.deepEqual([told, readings.length, service.snapshot.data], [[], 0, undefined]);
});

test('the connection is told', async (t) => {
  const {live, last, service} = await begin(t);
  const states: string[] = [];
  service.onConnectionChange(({state}) => states.push(state));
  await live();
  last().fails();
  assert.deepEqual(states, ['live', 'offline']);
});
