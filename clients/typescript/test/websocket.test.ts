import assert from 'node:assert/strict';
import test from 'node:test';
import type {Platform, WebSocketLike} from '../src/platform.js';
import {whatNext, type RowcastError} from '../src/problem.js';
import type {Frame} from '../src/transports/transport.js';
import {openWebSocket} from '../src/transports/websocket.js';
import {defaultLimits} from '../src/client.js';
import {FakeClock} from './support/clock.js';

class FakeSocket implements WebSocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: {data: unknown}) => void) | null = null;
  onclose: ((event: {code: number; reason: string}) => void) | null = null;
  onerror = null;
  closed = false;
  readonly sent: {type: string; [member: string]: unknown}[] = [];
  send(text: string): void {
    this.sent.push(JSON.parse(text) as {type: string});
  }
  close(): void {
    this.closed = true;
  }
  says(message: object): void {
    this.onmessage?.({data: JSON.stringify(message)});
  }
  types(): string[] {
    return this.sent.map(({type}) => type);
  }
}

function start({token}: {token?: string} = {}) {
  const clock = new FakeClock();
  const socket = new FakeSocket();
  const told: string[] = [];
  const frames: Frame[] = [];
  const endings: RowcastError[] = [];
  const platform = {clock, openWebSocket: () => socket, parse: JSON.parse, random: () => 1} as unknown as Platform;
  const connection = openWebSocket(
    {transport: 'websocket', platform, url: 'http://h', token, heartbeat: 25_000, times: defaultLimits, visible: () => true},
    {
      opened: () => told.push('opened'), heard: () => {}, expiring: (left) => told.push(`expiring ${left}`),
      frame: (frame) => frames.push(frame), ended: (why) => endings.push(why),
    });
  return {clock, socket, connection, told, frames, endings};
}

const welcome = {type: 'welcome', heartbeat: 10, session: 's', server: 'x'};

test('the token goes first, then what was asked for before the socket was open', () => {
  const {socket, connection, told} = start({token: 't'});
  connection.add([{id: '1', wish: {table: 'public.a'}, after: 'c'}]);
  assert.deepEqual(socket.sent, []);
  socket.onopen!();
  assert.deepEqual(socket.sent, [{type: 'auth', token: 't'}, {type: 'subscribe', id: '1', table: 'public.a', after: 'c'}]);
  socket.says(welcome);
  assert.deepEqual(told, [], 'a welcome is for everybody');
  socket.says({type: 'authenticated'});
  assert.deepEqual(told, ['opened']);
});

test('without a token a welcome is enough', () => {
  const {socket, told} = start();
  socket.onopen!();
  socket.says(welcome);
  assert.deepEqual(told, ['opened']);
});

test('one that does not come to a welcome ends in time', async () => {
  const {clock, socket, endings} = start();
  socket.onopen!();
  await clock.advance(5_999);
  assert.equal(endings.length, 0);
  await clock.advance(1);
  assert.equal(endings[0]!.code, 'timeout');
  assert.ok(socket.closed);
});

test('after a heartbeat in which nothing came it asks, and without an answer it is over', async () => {
  const {clock, socket, endings} = start();
  socket.onopen!();
  socket.says(welcome);
  await clock.advance(9_999);
  assert.deepEqual(socket.types(), []);
  await clock.advance(1);
  assert.deepEqual(socket.types(), ['ping']);
  socket.says({type: 'pong'});
  await clock.advance(10_000);
  assert.deepEqual(socket.types(), ['ping', 'ping']);
  await clock.advance(10_000);
  assert.deepEqual(endings.map(({code}) => code), ['silent']);
  assert.ok(socket.closed);
});

test('any message is an answer', async () => {
  const {clock, socket, endings} = start();
  socket.onopen!();
  socket.says(welcome);
  for (let each = 0; each < 100; ++each) {
    await clock.advance(9_000);
    socket.says({type: 'cursor', cursor: `${each}`});
  }
  assert.deepEqual(socket.types(), []);
  assert.equal(endings.length, 0);
});

test('poked, it asks at once', async () => {
  const {clock, socket, connection, endings} = start();
  socket.onopen!();
  socket.says(welcome);
  connection.poke();
  connection.poke();
  assert.deepEqual(socket.types(), ['ping']);
  await clock.advance(10_000);
  assert.equal(endings.length, 1);
});

test('a sleep of hours is noticed with the first timer after it', async () => {
  const {clock, socket, endings} = start();
  socket.onopen!();
  socket.says(welcome);
  await clock.advance(3_600_000);
  assert.equal(endings.length, 1);
});

test('it does not write faster than the server reads', async () => {
  const {clock, socket, connection} = start();
  socket.onopen!();
  connection.add(Array.from({length: 120}, (_, index) => ({id: `${index}`, wish: {table: 'public.a'}, after: undefined})));
  assert.equal(socket.sent.length, 50);
  await clock.advance(1_100);
  assert.equal(socket.sent.length, 100);
  await clock.advance(1_100);
  assert.equal(socket.sent.length, 120);
});

test('what the server said last explains a close, and its goodbye says when to come back', () => {
  const first = start();
  first.socket.onopen!();
  first.socket.says({type: 'error', code: 'token_revoked', message: 'revoked'});
  first.socket.onclose!({code: 4401, reason: ''});
  assert.deepEqual(first.endings.map((why) => [why.code, whatNext(why)]), [['token_revoked', 'token']]);

  const second = start();
  second.socket.onopen!();
  second.socket.says({type: 'goodbye', reason: 'shutdown', reconnect_ms: 1830});
  second.socket.onclose!({code: 1001, reason: ''});
  assert.equal(second.endings[0]!.wait, 1830);
});

const closes: readonly [number, string, string][] = [
  [1001, 'shutdown', 'retry'], [1006, 'unreachable', 'retry'], [1009, 'message_too_large', 'retry'], [1011, 'internal', 'retry'], [4400, 'malformed', 'retry'],
  [4401, 'token_invalid', 'token'], [4403, 'forbidden', 'never'], [4408, 'no_heartbeat', 'retry'], [4429, 'too_many_messages', 'retry'],
];
for (const [code, word, next] of closes) {
  test(`a close with ${code} is ${word}: ${next}`, () => {
    const {socket, endings} = start();
    socket.onclose!({code, reason: ''});
    assert.deepEqual(endings.map((why) => [why.code, whatNext(why)]), [[word, next]]);
  });
}

for (const [what, data] of [['a page', '<html>'], ['half an event', '{"type":"changes","cursor":"c","events":[{}],"more":false}'], ['bytes', new ArrayBuffer(1)]] as const) {
  test(`${what} is not rowcast`, () => {
    const {socket, endings} = start();
    socket.onopen!();
    socket.onmessage!({data});
    assert.deepEqual(endings.map(({code}) => code), ['not_rowcast']);
  });
}

test('a message that only a later server has is passed over', () => {
  const {socket, endings, frames} = start();
  socket.onopen!();
  socket.says({type: 'weather', of: 'tomorrow'});
  assert.deepEqual([endings, frames], [[], []]);
});

test('a subscription that has ended is not left again', () => {
  const {socket, connection} = start();
  socket.onopen!();
  connection.add([{id: '1', wish: {table: 'public.a'}, after: undefined}, {id: '2', wish: {table: 'public.b'}, after: undefined}]);
  socket.says({type: 'resync', id: '1', reason: 'r'});
  connection.remove('1');
  connection.remove('2');
  assert.deepEqual(socket.sent.slice(2), [{type: 'unsubscribe', id: '2'}]);
});

test('after close() nothing is told', () => {
  const {socket, connection, told, endings} = start();
  connection.close();
  socket.onopen?.();
  socket.says(welcome);
  socket.onclose?.({code: 1006, reason: ''});
  assert.deepEqual([told, endings], [[], []]);
});
