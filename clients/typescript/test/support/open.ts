import type {TestContext} from 'node:test';
import {WebSocket} from 'ws';
import type {Client, Limits} from '../../src/client.js';
import {connect, type ConnectOptions} from '../../src/index.js';

/** Quick to come back, and patient with a slow machine: where a test waits for something to be noticed, it has a limit of its own. */
export const quick: Partial<Limits> = {
  backoff: 50, backoffMost: 500, probe: 300, probeMost: 1000, open: 20_000, longPoll: 2000, poll: 100, answer: 10_000, linger: 100, stable: 200,
};

/** A client of a bridge (or of what stands before it), closed with the test. */
export function open(t: TestContext, url: string, options: Partial<ConnectOptions> = {}): Client {
  const client = connect({url, WebSocket: WebSocket as never, ...options, limits: {...quick, ...options.limits}});
  t.after(() => client.close());
  return client;
}
