// A client whose network and time are made up.
import type {TestContext} from 'node:test';
import type {Limits} from '../../src/client.js';
import {connectWith, type ConnectOptions} from '../../src/connect.js';
import {transports, type Transport} from '../../src/machine.js';
import type {Signal} from '../../src/platform.js';
import {RowcastError} from '../../src/problem.js';
import type {Connection, Listener, Openers, Setting, WireSubscription} from '../../src/transports/transport.js';
import {FakeClock} from './clock.js';

export class FakeConnection implements Connection {
  readonly added: WireSubscription[] = [];
  readonly removed: string[] = [];
  readonly tokens: (string | undefined)[] = [];
  pokes = 0;
  closed = false;
  constructor(readonly transport: Transport, readonly setting: Setting, readonly listener: Listener) {}
  add(subscriptions: readonly WireSubscription[]): void {
    this.added.push(...subscriptions);
  }
  remove(id: string): void {
    this.removed.push(id);
  }
  authenticate(token: string | undefined): void {
    this.tokens.push(token);
  }
  poke(): void {
    ++this.pokes;
  }
  close(): void {
    this.closed = true;
  }
  /** Opens, and answers what was asked for. */
  works(cursor = 'c'): void {
    this.listener.opened();
    this.answers(cursor);
  }
  answers(cursor = 'c'): void {
    for (const {id, after} of this.added.splice(0)) this.listener.frame({type: 'subscribed', id, status: after ? 'resumed' : 'live', cursor: after ?? cursor});
  }
  fails(code = 'unreachable', wait?: number): void {
    this.listener.ended(new RowcastError(code, code, {wait}));
  }
}

type Answer = (path: string) => {status?: number; body?: unknown; headers?: Record<string, string>} | Promise<never>;

export const offers = {roles: [], transports: ['websocket', 'sse', 'poll'], heartbeat: 25};

type Options = Omit<Partial<ConnectOptions>, 'limits'> & {answer?: Answer; limits?: Partial<Limits>; clock?: FakeClock; through?: (openers: Openers) => Openers};

export function start(t: TestContext, {answer = () => ({body: offers}), limits = {}, clock = new FakeClock(), through = (openers) => openers, ...options}: Options = {}) {
  const made: FakeConnection[] = [];
  const asked: {path: string; token: string | null}[] = [];
  let signal: (signal: Signal) => void = () => {};
  const opener = (setting: Setting, listener: Listener) => {
    const connection = new FakeConnection(setting.transport, setting, listener);
    made.push(connection);
    return connection;
  };
  const client = connectWith(through(Object.fromEntries(transports.map((each) => [each, opener]))), {
    url: 'http://host', clock, random: () => 1, limits, WebSocket: class {} as never,
    watch: (tell) => {
      signal = tell;
      return () => {};
    },
    fetch: async (url, {headers}) => {
      const path = url.slice('http://host'.length);
      asked.push({path, token: new Headers(headers).get('authorization')});
      const {status = 200, body = {}, headers: given = {}} = await answer(path);
      return new Response(JSON.stringify(body), {status, headers: given});
    },
    ...options,
  });
  t.after(() => client.close());
  return {client, clock, made, asked, signal: (each: Signal) => signal(each), last: () => made[made.length - 1]!};
}
