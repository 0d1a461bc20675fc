import assert from 'node:assert/strict';
import test from 'node:test';
import type {WireEvent} from '../src/protocol.js';
import {Track} from '../src/track.js';

const event = (id: number | undefined, tx = 't'): WireEvent => ({subs: ['o'], tx, ...(id !== undefined && {id: `${id}`})});
const ids = (events: readonly WireEvent[] | undefined) => events?.map(({id}) => id);
const some = (from: number, to: number) => Array.from({length: to - from + 1}, (_, index) => event(from + index));

test('a transaction is handed over when its last part is there, and the cursor moves with it', () => {
  const track = new Track('a', 100);
  assert.deepEqual(track.take([event(1)], 'b', true), []);
  assert.equal(track.cursor, 'a');
  assert.equal(track.place, 'b');
  assert.deepEqual(ids(track.take([event(2)], 'c', false)), ['1', '2']);
  assert.equal(track.cursor, 'c');
});

test('a half that was cut off goes on from its place, whatever of it comes again', () => {
  const track = new Track('a', 100);
  track.take([event(1)], 'b', true);
  assert.deepEqual([track.cursor, track.place], ['a', 'b'], 'what is kept is a whole');
  track.begin('b', false);
  track.take([event(2)], undefined, true);
  track.begin('b', false);
  assert.deepEqual(ids(track.take([event(2), event(3)], 'c', false)), ['1', '2', '3']);
  assert.deepEqual([track.cursor, track.place, track.repeated], ['c', 'c', 1]);
});

test('what was handed over before there was a place behind it comes again, and is left out', () => {
  const track = new Track('a', 100);
  track.take([event(1), event(2)], undefined, false);
  assert.deepEqual([track.cursor, track.place], ['a', 'a']);
  track.begin('a', false);
  assert.deepEqual(ids(track.take([event(1), event(2), event(3)], 'b', false)), ['3']);
  assert.equal(track.repeated, 2);
});

test('messages without an id are never taken for one another', () => {
  const track = new Track('a', 100);
  assert.equal(track.take([event(undefined), event(undefined)], 'b', false)?.length, 2);
  assert.equal(track.take([event(undefined)], 'c', false)?.length, 1);
});

test('after a reset the ids of another log are new ones', () => {
  const track = new Track('a', 100);
  track.take([event(1)], 'b', false);
  track.reset('x');
  assert.equal(track.cursor, 'x');
  assert.deepEqual(ids(track.take([event(1)], 'y', false)), ['1']);
});

test('a transaction that is too large is not kept', () => {
  const track = new Track('a', 3);
  assert.deepEqual(track.take(some(1, 3), 'b', true), []);
  assert.equal(track.take(some(4, 4), 'c', true), undefined);
});

test('of a long past some ids are remembered, and all of what is unfinished', () => {
  const track = new Track('a', 1e6);
  for (let start = 0; start < 100_000; start += 1000) track.take(some(start + 1, start + 1000), 'b', false);
  assert.deepEqual(track.take(some(99_001, 100_000), 'c', false), [], 'a page is known');
  assert.equal(track.take(some(1, 10), 'd', false)?.length, 10, 'the beginning is not');
  track.take(some(200_001, 210_000), 'e', true);
  assert.equal(track.take(some(200_001, 210_000), 'f', false)?.length, 10_000);
});
