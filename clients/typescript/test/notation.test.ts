import assert from 'node:assert/strict';
import test from 'node:test';
import {subscriptionParameter} from '../src/notation.js';
import type {Filter} from '../src/protocol.js';

const filter = (where: Filter) => {
  const text = subscriptionParameter('o', {table: 'public.orders', where});
  return decodeURIComponent(text.slice('o:public.orders?and='.length));
};

const cases: readonly [Filter, string][] = [
  [{status: 'open'}, '(status.eq.open)'],
  [{status: {in: ['open', 'a,b', 'say "hi"']}}, '(status.in.(open,"a,b","say \\"hi\\""))'],
  [{total: {gte: 100, lt: 200.5}}, '(total.gte.100,total.lt."200.5")'],
  [{id: 9007199254740993n}, '(id.eq.9007199254740993)'],
  [{deleted_at: null, done: {is: true}}, '(deleted_at.is.null,done.is.true)'],
  [{deleted_at: {is: 'not null'}}, '(deleted_at.not.is.null)'],
  [{name: ''}, '(name.in.(""))'],
  [{name: {neq: ''}}, '(name.nin.(""))'],
  [{name: {ilike: '%ann_%'}}, '(name.ilike."%ann_%")'],
  [{'odd.name, "x"': 1}, '("odd.name, \\"x\\"".eq.1)'],
  [{or: [{a: 1}, {b: 2, c: {in: [3]}}]}, '(or(a.eq.1,and(b.eq.2,c.in.(3))))'],
  [{not: {a: 1, b: 2}}, '(not.and(a.eq.1,b.eq.2))'],
  [{tags: {contains: ['x']}}, '(tags.contains."[\\"x\\"]")'],
  [{a: 'back\\slash'}, '(a.eq."back\\\\slash")'],
];

for (const [where, expected] of cases) {
  test(`${JSON.stringify(where, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))} in a URL`, () => assert.equal(filter(where), expected));
}

test('the rest of a subscription', () => {
  assert.equal(
    decodeURIComponent(subscriptionParameter('7', {table: 'public."Odd Table"', columns: ['id', 'a,b'], events: ['INSERT', 'DELETE'], old: true})),
    '7:public."Odd Table"?events=INSERT,DELETE&columns=id,"a,b"&old=true');
  assert.equal(decodeURIComponent(subscriptionParameter('r', {channel: 'room:42'})), 'r:?channel=room:42');
  assert.equal(subscriptionParameter('p', {table: 'public.plain'}), 'p:public.plain');
});

test('what URLs have no words for is refused, not widened', () => {
  for (const where of [{name: {like: 'a*b'}}, {ok: {is: 'unknown'}}, {name: {gt: ''}}] as const) assert.throws(() => filter(where), {code: 'bad_filter'});
});
