// What a visitor waits for, in headless Chromium with the bridge, PostgreSQL and the writers beside it: `scripts/bench client`.
import {parseArgs} from 'node:util';
import type {Page} from 'playwright-core';
import {Bridge, token} from '../test/support/bridge.js';
import {Database} from '../test/support/database.js';
import {serve} from '../test/support/page.js';
import {Proxy} from '../test/support/proxy.js';
import type {Scope} from '../test/support/scope.js';
import {schema} from '../test/support/witness.js';

const {values: {rounds, seconds, help}} = parseArgs({options: {
  rounds: {type: 'string', default: '5'}, seconds: {type: 'string', default: '10'}, help: {type: 'boolean', short: 'h'},
}});
if (help) {
  console.log(`usage: scripts/bench client [--rounds N] [--seconds N]

Page load to the first live row, a commit to the painted row, falling back and recovering, and frames under 1,000 changes a second
into a collection of 10,000 rows. Each of N rounds (5); the frames for N seconds (10), with and without the changes.`);
  process.exit();
}

const script = (url: string) => `
  const client = window.client = rowcast.connect({url: '${url}', token: () => ${JSON.stringify(token('7'))}});
  const {searchParams} = new URL(location.href.replace('#', '?'));
  const least = Number(searchParams.get('least') ?? -1e9);
  const items = window.items = rowcast.live(client, 'public.items', {orderBy: 'id', where: {id: {gte: least}}});
  window.painted = {};
  window.statuses = [];
  client.onStatus(({state, transport}) => statuses.push({state, transport, at: Date.now()}));
  items.subscribe(({inserted}) => {
    const shown = items.rows.slice(0, 30).map(({id, owner, value}) => Object.assign(document.createElement('li'), {textContent: [id, owner, value].join(' ')}));
    document.querySelector('ul').replaceChildren(...shown);
    // This is an animation frame: the next one comes when this one is painted.
    requestAnimationFrame(() => {
      window.firstRow ??= items.rows.length > 0 ? performance.now() : undefined;
      for (const {id} of inserted) painted[id] = Date.now();
    });
  });
  window.frames = [];
  let last;
  const frame = (now) => {
    if (last !== undefined) frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);`;

const undo: (() => unknown)[] = [];
const scope: Scope = {after: (each) => void undo.unshift(each)};

function report(what: string, times: number[]): void {
  const sorted = times.sort((a, b) => a - b).map(Math.round);
  console.log(`${what.padEnd(62)} ${`${sorted[sorted.length >> 1]}`.padStart(6)} ms   (${sorted[0]} to ${sorted.at(-1)}, of ${sorted.length})`);
}

const repeat = async (times: number, measure: (round: number) => Promise<number>) => {
  const out: number[] = [];
  for (let round = 0; round < times; ++round) out.push(await measure(round));
  return out;
};

/** When the page said so, at a time after `since`. */
const became = async (page: Page, state: string, transport: string | undefined, since: number): Promise<number> => {
  const found = `statuses.find((each) => each.at >= ${since} && each.state === '${state}' && (${transport === undefined} || each.transport === '${transport}'))`;
  await page.waitForFunction(`${found} !== undefined`);
  return (await page.evaluate(`${found}.at`)) as number;
};

async function frames(page: Page, what: string, during: () => Promise<unknown>): Promise<void> {
  await page.evaluate('void (frames.length = 0)');
  await during();
  const all = ((await page.evaluate('frames')) as number[]).sort((a, b) => a - b);
  const long = all.filter((each) => each > 34).length;
  console.log(`${what.padEnd(62)} ${`${long}`.padStart(6)} of ${all.length} frames longer than two; median ${all[all.length >> 1]!.toFixed(1)} ms, 99th ${all[Math.floor(all.length * 0.99)]!.toFixed(1)} ms`);
}

async function measure(): Promise<void> {
  const database = await Database.create(scope, schema);
  await database.execute(`insert into items select i, 'a', 0 from generate_series(1, 20) i`);
  let target = '';
  const site = await serve(scope, () => script(target));
  const bridge = await Bridge.start(scope, database, {origins: [site.origin], anonymous: false});
  const proxy = await Proxy.start(scope, bridge.port);
  target = proxy.url;

  report('page load to the first live row, painted', await repeat(Number(rounds), async () => {
    const page = await site.open();
    await page.waitForFunction('window.firstRow');
    const first = (await page.evaluate('firstRow')) as number;
    await page.close();
    return first;
  }));

  const page = await site.open();
  await became(page, 'live', 'websocket', 0);
  report('just before the commit, to the painted row', await repeat(Number(rounds) * 4, async (round) => {
    const before = Number(await database.execute(`begin; insert into items values (${-1 - round}, 'b', 0); select extract(epoch from clock_timestamp()) * 1000; commit`));
    await page.waitForFunction(`painted[${-1 - round}]`);
    return ((await page.evaluate(`painted[${-1 - round}]`)) as number) - before;
  }));

  const [fell, rose]: [number[], number[]] = [[], []];
  await repeat(Number(rounds), async () => {
    const cut = Date.now();
    proxy.websocket = 'refuse';
    proxy.kill();
    fell.push((await became(page, 'live', 'sse', cut)) - cut);
    const open = Date.now();
    proxy.websocket = 'pass';
    rose.push((await became(page, 'live', 'websocket', open)) - open);
    return 0;
  });
  report('WebSocket cut and refused, until live over SSE', fell);
  report('WebSocket let through again, until it is used', rose);

  report('bridge killed and started, until live after it was ready', await repeat(Number(rounds), async () => {
    const killed = Date.now();
    await bridge.stop('SIGKILL');
    await became(page, 'offline', undefined, killed);
    await bridge.start();
    const ready = Date.now();
    return Math.max(0, (await became(page, 'live', undefined, killed + 1)) - ready);
  }));
  await page.close();

  await database.execute(`insert into items select i, 'x', 0 from generate_series(100001, 110000) i`);
  const many = await site.open((opening) => opening.addInitScript(`location.hash = 'least=100001'`).then(() => {}));
  await many.waitForFunction('items.rows.length === 10000');
  await frames(many, 'a collection of 10,000 rows, nothing changes', () => many.waitForTimeout(Number(seconds) * 1000));
  const before = (await many.evaluate('client.statistics().events')) as number;
  let spent = 0;
  await frames(many, 'and 1,000 changes a second, 10 a transaction', async () => {
    const began = Date.now();
    // Each waits for its turn, so that the rate is kept however long a transaction takes.
    await database.execute(`select set_config('bench.began', extract(epoch from clock_timestamp())::text, false);` + Array.from({length: Number(seconds) * 100}, (_, index) => `
      update items set value = value + 1 where id between ${100001 + (index % 1000) * 10} and ${100010 + (index % 1000) * 10};
      select pg_sleep(current_setting('bench.began')::float8 + ${(index + 1) / 100} - extract(epoch from clock_timestamp())::float8);`).join(''));
    spent = (Date.now() - began) / 1000;
    await many.waitForFunction(`client.statistics().events >= ${before + Number(seconds) * 1000}`);
  });
  console.log(`(${Math.round(Number(seconds) * 1000 / spent)} changes a second were written)`);
}

try {
  await measure();
} finally {
  for (const each of undo) await each();
}
