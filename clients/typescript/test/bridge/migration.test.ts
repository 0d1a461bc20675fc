// What the guide for who polls today promises: comparing, percentages, and the way back.
import assert from 'node:assert/strict';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';
import test from 'node:test';
import {pathToFileURL} from 'node:url';
import {build} from 'esbuild';
import type {Client} from '../../src/client.js';
import {Bridge, token} from '../support/bridge.js';
import {Database} from '../support/database.js';
import {guide, settings} from '../support/guide.js';
import {open} from '../support/open.js';
import {until} from '../support/until.js';
import {schema, Witness, work, type Item} from '../support/witness.js';

type Compare = (client: Client, table: string, read: () => Promise<readonly Item[]>, report: (ids: readonly number[]) => void, every: number) => () => void;

test('what the guide compares with is silent while both say the same, and names the rows that they do not agree on', async (t) => {
  const outfile = resolve(`build/compare_${process.pid}.mjs`);
  t.after(() => rmSync(outfile));
  await build({stdin: {contents: guide().get('compare.ts')!, loader: 'ts', resolveDir: process.cwd()}, bundle: true, format: 'esm', outfile, alias: {'@rowcast/client': './src/index.ts'}});
  const {compare} = (await import(pathToFileURL(outfile).href)) as {compare: Compare};

  const database = await Database.create(t, schema);
  await database.execute(`insert into items values (1, 'a', 1), (2, 'b', 2)`);
  const bridge = await Bridge.start(t, database);
  // What the API says, and once says otherwise about a row: it has been asked a moment earlier.
  let looks = 0;
  let lie: (row: Item, look: number) => boolean = ({id}, look) => id === 1 && look === 3;
  const read = async () => {
    const look = ++looks;
    const rows = await database.rows<Item>('select id, owner, value from items');
    return rows.map((row) => (lie(row, look) ? {...row, owner: 'nobody'} : row));
  };
  const reports: (readonly number[])[] = [];
  const leave = compare(open(t, bridge.url), 'public.items', read, (ids) => reports.push(ids), 50);
  try {
    await until(() => looks > 6, () => `${looks} looks`);
    assert.deepEqual(reports, []);
    lie = ({id}) => id === 2;
    await until(() => reports.length > 0, () => 'nothing was reported');
    assert.deepEqual(reports[0], [2]);
  } finally {
    leave();
  }
});

async function offered(bridge: Bridge, subject: string): Promise<readonly string[]> {
  const answer = await fetch(`${bridge.url}/v1/session`, {headers: {authorization: `Bearer ${token(subject)}`}});
  return ((await answer.json()) as {transports: readonly string[]}).transports;
}

// The file's `rollout` from now on, in force.
async function roll(bridge: Bridge, rollout: string, holds: () => Promise<boolean>): Promise<void> {
  writeFileSync(bridge.file, readFileSync(bridge.file, 'utf8').replace(/^rollout:.*\n(?: .*\n)*/m, `rollout: ${rollout}\n`));
  bridge.reload();
  await until(holds, () => `${rollout} is not in force`);
}

test('those who are among five percent are among fifty, and the guide\'s own settings are taken', async (t) => {
  const database = await Database.create(t, schema);
  assert.match(settings(), /^rollout:\n  websocket: 5 .*\n  sse: 0\n$/);
  const bridge = await Bridge.start(t, database, {rollout: settings().replace(/^rollout:/, '')});
  const users = Array.from({length: 200}, (_, index) => `user ${index}`);
  const among = async () => {
    const all = [];
    for (const each of users) if ((await offered(bridge, each)).includes('websocket')) all.push(each);
    return all;
  };
  const few = await among();
  assert.ok(few.length > 0 && few.length < 30, `${few.length} of 200`);
  const outsider = users.find((each) => !few.includes(each))!;
  assert.deepEqual(await offered(bridge, outsider), ['poll']);

  await roll(bridge, '{websocket: 50, sse: 0}', async () => (await among()).length > few.length);
  const more = await among();
  assert.ok(more.length > 60 && more.length < 140, `${more.length} of 200`);
  assert.deepEqual(few.filter((each) => !more.includes(each)), []);
});

test('forced polling: who is connected polls within seconds, and is pushed to again once they may be; nothing is lost', async (t) => {
  const database = await Database.create(t, schema);
  const bridge = await Bridge.start(t, database, {rollout: '{websocket: 100, sse: 100}'});
  const client = open(t, bridge.url, {token: () => token('7')});
  const witness = new Witness(client);
  await witness.ready();
  await database.execute(work(20, 1));
  const moved = (transport: string) => until(() => client.status.transport === transport && ['live', 'polling'].includes(client.status.state), () => JSON.stringify(client.status));

  await roll(bridge, '{force_polling: true}', async () => (await offered(bridge, '7')).join() === 'poll');
  await database.execute(work(20, 2));
  await moved('longpoll');
  await database.execute(work(20, 3));
  await witness.saw(database);

  await roll(bridge, '{websocket: 0, sse: 0, opt_in: ["7"]}', async () => (await offered(bridge, '7')).includes('websocket'));
  await database.execute(work(20, 4));
  await moved('websocket');
  await roll(bridge, '{websocket: 0, sse: 100, opt_out: ["8"]}', async () => (await offered(bridge, '7')).join() === 'sse,poll');
  await moved('sse');
  await database.execute(work(20, 5));
  await witness.saw(database);
  assert.deepEqual(witness.resets, []);
});
