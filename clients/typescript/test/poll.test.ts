// Polling through a long past in small pages, with a network that fails at any moment.
import assert from 'node:assert/strict';
import test from 'node:test';
import {connectWith} from '../src/connect.js';
import type {WireEvent} from '../src/protocol.js';
import {openPolling} from '../src/transports/poll.js';
import {FakeClock} from './support/clock.js';

const numbers = (seed: number) => {
  let state = seed;
  return (below: number) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
};

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`whole transactions, each event once, whatever breaks in between (${seed})`, async () => {
    const random = numbers(seed);
    const page = 1 + random(12);
    const log: WireEvent[] = [];
    for (let tx = 0; tx < 60; ++tx) {
      for (let each = random(4) === 0 ? random(40) : random(3); each >= 0; --each) log.push({subs: ['1'], id: `${log.length}`, tx: `${tx}`});
    }
    const size = new Map<string, number>();
    for (const {tx} of log) size.set(tx!, (size.get(tx!) ?? 0) + 1);

    const clock = new FakeClock();
    let failures = 0;
    let requests = 0;
    const answer = (path: string) => {
      const {pathname, searchParams} = new URL(path);
      if (pathname === '/v1/session') return {roles: [], transports: ['poll'], heartbeat: 25};
      ++requests;
      const name = searchParams.get('sub')!.split(':')[0]!;
      const at = Number(searchParams.get('after') ?? 0);
      if (!searchParams.has('after')) return {cursor: '0', events: [], more: false};
      const events = log.slice(at, at + page).map((event) => ({...event, subs: [name]}));
      return {cursor: `${at + events.length}`, events, more: at + events.length < log.length};
    };
    const client = connectWith({poll: openPolling}, {
      url: 'http://h', clock, random: () => 0.5, watch: () => () => {}, limits: {poll: 10, backoff: 10, backoffMost: 10},
      fetch: async (url) => {
        // Before the request arrives, or before its answer does.
        const broken = random(6) === 0;
        const body = JSON.stringify(answer(url));
        if (!broken) return new Response(body);
        ++failures;
        throw new TypeError('fetch failed');
      },
    });
    const batches: WireEvent[][] = [];
    client.table('public.a').subscribe({changes: (changes) => void batches.push([...changes] as never)});
    for (let turn = 0; turn < 3000 && batches.flat().length < log.length; ++turn) await clock.advance(10);
    await clock.advance(100);
    client.close();

    assert.deepEqual(batches.flat().map(({id}) => id), log.map(({id}) => id), 'each once, in order');
    for (const batch of batches) {
      const here = new Map<string, number>();
      for (const {tx} of batch) here.set(tx!, (here.get(tx!) ?? 0) + 1);
      for (const [tx, count] of here) assert.equal(count, size.get(tx), `transaction ${tx} at once`);
    }
    assert.ok(failures > 3 && requests > log.length / page, `${failures} of ${requests}`);
  });
}
