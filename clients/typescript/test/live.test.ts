import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import {comparator, reorder, type Named} from '../src/live/order.js';
import {live, type LiveChange, type LiveOptions} from '../src/live/collection.js';
import type {Change} from '../src/protocol.js';
import {settle} from './support/clock.js';
import {offers, start} from './support/fake.js';

interface Task {
  readonly id: number;
  readonly title: string;
  readonly rank: number;
}

const task = (id: number, title = `t${id}`, rank = id): Task => ({id, title, rank});

/** A collection that holds some rows, and what it is told and tells. */
async function open(t: TestContext, rows: readonly Task[], options: LiveOptions<Task> = {}) {
  let reading: readonly Task[] = rows;
  const {client, clock, last} = start(t, {answer: (path) => (path.startsWith('/v1/rows') ? {body: {rows: {0: reading}, more: false, cursor: 'r'}} : {body: offers})});
  const tasks = live<Task>(client, 'public.tasks', {orderBy: 'rank', schedule: (show) => queueMicrotask(show), ...options});
  const told: LiveChange<Task>[] = [];
  const stop = tasks.subscribe((change) => told.push(change));
  await settle();
  const connection = last();
  const sub = connection.added[0]!.id;
  connection.works();
  await settle();
  const say = async (...changes: Partial<Change<Task>>[]) => {
    const events = changes.map((change) => ({id: `${Math.random()}`, tx: 't', subs: [sub], key: change.row && {id: change.row.id}, ...change}));
    connection.listener.frame({type: 'changes', ids: [sub], cursor: 'c', events, more: false});
    await settle();
  };
  return {tasks, told, stop, say, clock, connection, sub, reread: (next: readonly Task[]) => (reading = next)};
}

const ids = (rows: readonly Task[]) => rows.map(({id}) => id);

/** Something that is decided later. */
function later<T = void>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return {promise, resolve, reject};
}

test('rows come in their order, and every change finds its place', async (t) => {
  const {tasks, say, told} = await open(t, [task(2), task(1), task(3)]);
  assert.deepEqual(ids(tasks.rows), [1, 2, 3]);
  assert.equal(tasks.snapshot.state, 'ready');
  await say({op: 'INSERT', row: task(9, 'new', 1.5)});
  assert.deepEqual(ids(tasks.rows), [1, 9, 2, 3]);
  await say({op: 'UPDATE', row: task(9, 'new', 7)});
  assert.deepEqual(ids(tasks.rows), [1, 2, 3, 9]);
  await say({op: 'DELETE', key: {id: 1}});
  assert.deepEqual(ids(tasks.rows), [2, 3, 9]);
  await say({op: 'TRUNCATE'});
  assert.deepEqual(tasks.rows, []);
  assert.deepEqual(told.map(({inserted, updated, removed}) => [ids(inserted), ids(updated), ids(removed)]),
    [[[2, 1, 3], [], []], [[9], [], []], [[], [9], []], [[], [], [1]], [[], [], [2, 3, 9]]]);
});

test('a transaction is seen as a whole, and what cancels out is not told', async (t) => {
  const {tasks, say, told} = await open(t, [task(1), task(2)]);
  told.length = 0;
  const before = tasks.snapshot;
  await say({op: 'INSERT', row: task(5)}, {op: 'DELETE', key: {id: 5}}, {op: 'UPDATE', row: task(1, 'x')}, {op: 'UPDATE', row: task(1)});
  assert.deepEqual(told, []);
  assert.equal(tasks.snapshot, before, 'the same object');
  await say({op: 'DELETE', key: {id: 1}}, {op: 'INSERT', row: task(1, 'again')}, {op: 'INSERT', row: task(3)});
  assert.deepEqual(told, [{inserted: [task(3)], updated: [task(1, 'again')], removed: []}]);
});

test('rows that have not changed stay the same objects, also when all are read anew', async (t) => {
  const {tasks, say, told, connection, sub, reread} = await open(t, [task(1), task(2)]);
  const [, second] = tasks.rows;
  await say({op: 'UPDATE', row: task(1, 'x')});
  assert.equal(tasks.rows[1], second);
  told.length = 0;
  reread([task(2), task(3)]);
  connection.listener.frame({type: 'resync', id: sub, reason: 'r'});
  await settle();
  assert.equal(tasks.rows[0], second);
  assert.deepEqual(told, [{inserted: [task(3)], updated: [], removed: [task(1, 'x')]}]);
});

test('an update is seen at once, and its change brings nothing new', async (t) => {
  const {tasks, say, told} = await open(t, [task(1)]);
  told.length = 0;
  const answer = later();
  const done = tasks.update(1, {title: 'mine'}, () => answer.promise);
  await settle();
  assert.equal(tasks.get(1)?.title, 'mine');
  await say({op: 'UPDATE', row: task(1, 'mine')});
  answer.resolve();
  await done;
  await settle();
  assert.equal(told.length, 1, 'no flicker');
});

test('a change of somebody else shows through, and the own value stays on top until it is confirmed', async (t) => {
  const {tasks, say} = await open(t, [task(1)]);
  const answer = later();
  void tasks.update(1, {title: 'mine'}, () => answer.promise);
  await say({op: 'UPDATE', row: task(1, 'theirs', 8)});
  assert.deepEqual(tasks.get(1), task(1, 'mine', 8));
  await say({op: 'UPDATE', row: task(1, 'mine', 8)});
  await say({op: 'UPDATE', row: task(1, 'later', 8)});
  assert.equal(tasks.get(1)?.title, 'later');
});

test('a write that fails is undone, to what is there by now', async (t) => {
  const {tasks, say} = await open(t, [task(1), task(2)]);
  const answers = [later(), later(), later()];
  const writes = [
    tasks.update(1, {title: 'mine'}, () => answers[0]!.promise),
    tasks.remove(2, () => answers[1]!.promise),
    tasks.insert({title: 'draft', rank: 0}, () => answers[2]!.promise),
  ];
  await settle();
  assert.deepEqual(tasks.rows.map(({title}) => title), ['draft', 'mine']);
  await say({op: 'UPDATE', row: task(1, 'theirs')});
  answers.forEach(({reject}) => reject(new Error('no')));
  const results = await Promise.allSettled(writes);
  await settle();
  assert.deepEqual(results.map(({status}) => status), ['rejected', 'rejected', 'rejected']);
  assert.deepEqual(tasks.rows, [task(1, 'theirs'), task(2)]);
});

for (const order of ['the change, then the answer', 'the answer, then the change'] as const) {
  test(`an insert whose key the database makes is never there twice: ${order}`, async (t) => {
    const {tasks, say} = await open(t, [task(1)]);
    const answer = later<{key: {id: number}}>();
    const done = tasks.insert({title: 'new', rank: 5}, () => answer.promise);
    await settle();
    const counts: number[] = [];
    tasks.subscribe(() => counts.push(tasks.rows.length));
    const arrive = () => say({op: 'INSERT', row: task(42, 'new', 5)});
    if (order.startsWith('the change')) await arrive();
    answer.resolve({key: {id: 42}});
    await done;
    await settle();
    if (order.startsWith('the answer')) await arrive();
    assert.deepEqual(tasks.rows, [task(1), task(42, 'new', 5)]);
    assert.ok(counts.every((count) => count === 2), `${counts}`);
  });
}

test('two drafts alike are confirmed one by one', async (t) => {
  const {tasks, say} = await open(t, []);
  void tasks.insert({title: 'same', rank: 1}, () => new Promise(() => {}));
  void tasks.insert({title: 'same', rank: 1}, () => new Promise(() => {}));
  await say({op: 'INSERT', row: task(10, 'same', 1)});
  assert.equal(tasks.rows.length, 2);
  await say({op: 'INSERT', row: task(11, 'same', 1)});
  assert.deepEqual(ids(tasks.rows), [10, 11]);
});

test('with the transaction in the answer it is that one which confirms, and no other', async (t) => {
  const {tasks, say} = await open(t, [task(1)]);
  await tasks.update(1, {title: ' Mine '}, async () => ({tx: '77'}));
  await say({op: 'UPDATE', row: task(1, 'theirs'), tx: '76'});
  assert.equal(tasks.get(1)?.title, ' Mine ');
  await say({op: 'UPDATE', row: task(1, 'Mine'), tx: '77'});
  assert.equal(tasks.get(1)?.title, 'Mine', 'as the database has it');
});

test('a transaction whose change came before the answer needs no other', async (t) => {
  const {tasks, say} = await open(t, [task(1)]);
  const answer = later<{tx: string}>();
  const done = tasks.update(1, {title: ' Mine '}, () => answer.promise);
  await say({op: 'UPDATE', row: task(1, 'Mine'), tx: '77'});
  answer.resolve({tx: '77'});
  await done;
  await settle();
  assert.equal(tasks.get(1)?.title, 'Mine');
});

test('what no change ever confirms is given up after a while: the replica is right', async (t) => {
  const {tasks, clock} = await open(t, [task(1)], {confirm: 1000});
  await tasks.update(1, {title: 'mine'}, async () => {});
  await clock.advance(999);
  assert.equal(tasks.get(1)?.title, 'mine');
  await clock.advance(1);
  await settle();
  assert.equal(tasks.get(1)?.title, 't1');
});

test('a key that is none is said so, and what is held stays', async (t) => {
  const {tasks, say} = await open(t, [task(1)]);
  await say({op: 'UPDATE', row: task(1, 'x'), key: {rank: 1}});
  assert.equal(tasks.snapshot.state, 'failed');
  assert.equal(tasks.snapshot.error?.code, 'wrong_key');
  assert.deepEqual(tasks.rows, [task(1)]);
});

test('keys of several columns', async (t) => {
  const {tasks, say} = await open(t, [task(1, 'a'), task(1, 'b')], {key: ['id', 'title']});
  await say({op: 'UPDATE', row: task(1, 'b', 9), key: {id: 1, title: 'b'}});
  assert.equal(tasks.get({id: 1, title: 'b'})?.rank, 9);
  assert.equal(tasks.rows.length, 2);
});

test('when nobody listens the table is left, and what was there is still seen', async (t) => {
  const {tasks, stop, connection, sub} = await open(t, [task(1)]);
  stop();
  assert.deepEqual(connection.removed, [sub]);
  assert.deepEqual(tasks.rows, [task(1)]);
});

test('whatever happens, the order is that of sorting', () => {
  let state = 7;
  const random = (below: number) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
  const by = comparator<Task>(['rank desc', 'title']);
  let rows: readonly Named<Task>[] = [];
  const held = new Map<string, Named<Task>>();
  for (let round = 0; round < 500; ++round) {
    const moves = new Map<string, {before?: Named<Task>; after?: Named<Task>}>();
    for (let each = random(round % 10 === 0 ? 300 : 5); each >= 0; --each) {
      const name = `${random(400)}`;
      if (moves.has(name)) continue;
      const before = held.get(name);
      const after = random(3) ? {name, row: task(Number(name), `t${random(5)}`, random(20))} : undefined;
      if (!before && !after) continue;
      moves.set(name, {...(before && {before}), ...(after && {after})});
      if (after) held.set(name, after);
      else held.delete(name);
    }
    rows = reorder(rows, [...moves.values()], by);
    const sorted = [...held.values()].sort((a, b) => b.row.rank - a.row.rank || (a.row.title < b.row.title ? -1 : a.row.title > b.row.title ? 1 : 0) || (a.name < b.name ? -1 : 1));
    assert.deepEqual(rows, sorted, `round ${round}`);
  }
});

test('nulls are where PostgreSQL has them', () => {
  const by = comparator<{a: number | null}>('a');
  assert.deepEqual([{a: null}, {a: 2}, {a: 1}].sort(by), [{a: 1}, {a: 2}, {a: null}]);
  assert.deepEqual([{a: 1}, {a: null}, {a: 2}].sort(comparator<{a: number | null}>('a desc')), [{a: null}, {a: 2}, {a: 1}]);
});

test('a thousand changes to ten thousand rows, sixteen to a picture, take a fraction of a frame each', async (t) => {
  const {tasks, say} = await open(t, Array.from({length: 10_000}, (_, index) => task(index)));
  const times: number[] = [];
  for (let picture = 0; picture < 63; ++picture) {
    const changes = Array.from({length: 16}, (_, index) => ({op: 'UPDATE' as const, row: task((picture * 16 + index) * 7 % 10_000, `p${picture}`, Math.random() * 10_000)}));
    const began = performance.now();
    await say(...changes);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`median ${times[31]!.toFixed(2)} ms, longest ${times[62]!.toFixed(2)} ms`);
  assert.equal(tasks.rows.length, 10_000);
  assert.ok(times[31]! < 16, `${times[31]} ms`);
});

test('after the answer the next change of the row is what the database made of the write', async (t) => {
  const {tasks, say} = await open(t, [task(1)]);
  await tasks.update(1, {title: ' Mine '}, async () => {});
  await settle();
  assert.equal(tasks.get(1)?.title, ' Mine ');
  await say({op: 'UPDATE', row: task(1, 'Mine')});
  assert.equal(tasks.get(1)?.title, 'Mine');
});
