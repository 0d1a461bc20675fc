import assert from 'node:assert/strict';
import test from 'node:test';
import {Tokens} from '../src/tokens.js';

test('one question at a time: who asks meanwhile gets the same answer', async () => {
  let asked = 0;
  const tokens = new Tokens(async () => `t${++asked}`);
  assert.deepEqual(await Promise.all([tokens.ask(), tokens.ask(), tokens.ask()]), ['t1', 't1', 't1']);
  assert.equal(await tokens.ask(), 't2');
  assert.equal(tokens.current, 't2');
});

test('a refused token is never used again', async () => {
  let next = 'a';
  const tokens = new Tokens(() => next);
  await tokens.ask();
  tokens.refuse('a');
  assert.equal(tokens.current, undefined);
  await assert.rejects(tokens.ask(), {code: 'token'});
  assert.equal(tokens.current, undefined);
  next = 'b';
  assert.equal(await tokens.ask(), 'b');
});

test('that an older one was refused does not concern the newer one', async () => {
  let next = 'a';
  const tokens = new Tokens(() => next);
  await tokens.ask();
  next = 'b';
  await tokens.ask();
  tokens.refuse('a');
  assert.equal(tokens.current, 'b');
});

test('a provider that fails is told of, and asked again', async () => {
  let broken = true;
  const tokens = new Tokens(() => {
    if (broken) throw new Error('the session is over');
    return 'a';
  });
  await assert.rejects(tokens.ask(), (error: Error) => (error.cause as Error).message === 'the session is over');
  broken = false;
  assert.equal(await tokens.ask(), 'a');
});

test('no provider, no token', async () => {
  assert.equal(await new Tokens(undefined).ask(), undefined);
  assert.equal(await new Tokens(() => null).ask(), undefined);
});
