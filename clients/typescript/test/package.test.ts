// The package as a user gets it: packed, installed from its tarball, imported and required, and its types checked.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';

const use = `
const client = connect({url: 'http://localhost:8080', transports: ['poll']});
interface Order { id: number; status: string }
const stop: () => void = client.table<Order>('public.orders').where({status: {in: ['open']}}).columns('id').subscribe({
  rows: (rows) => { const ids: number[] = rows.map((row) => row.id); void ids; },
  // @ts-expect-error this column was not asked for
  changes: (changes) => changes.map((change) => change.row?.status),
});
stop();
client.close();
`;

const useHooks = `
import {useRows} from '@rowcast/client/react';
import {useLive} from '@rowcast/client/tanstack-query';
import {useQuery} from '@tanstack/react-query';
import {Outbox} from '@rowcast/client/outbox';
import {rows} from '@rowcast/client/svelte';
import {connect as connectTabs} from '@rowcast/client/tabs';
import {useRows as useVueRows} from '@rowcast/client/vue';
export function useOrders(): readonly Order[] { return useRows<Order>('public.orders', {orderBy: 'id desc'}).rows; }
export function useSum(): number | undefined {
  return useQuery(useLive({queryKey: ['sum'], queryFn: async () => 1, refetchInterval: 5000}, ['public.orders'])).data;
}
export const shared = connectTabs({url: '/', tabs: {beat: 1000}});
export const store: {subscribe(run: (value: {readonly rows: readonly Order[]}) => void): () => void} = rows<Order>(shared, 'public.orders');
export const outbox = new Outbox<{rename: string}, number>({name: 'a', send: async (action, {idempotencyKey}) => action.rename.length + idempotencyKey.length});
export function useVueOrders(): readonly Order[] { return useVueRows<Order>('public.orders').rows.value; }
`;

/** Of each entry, something that it has. */
const entries: Readonly<Record<string, string>> = {
  '.': 'connect', './outbox': 'Outbox', './react': 'useRows', './svelte': 'rows', './tabs': 'acrossTabs', './tanstack-query': 'useLive', './vue': 'useRows',
};

test('it is packed, installed, imported, required, and its types are understood both ways', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rowcast-package-'));
  t.after(() => rmSync(folder, {recursive: true}));
  const run = (command: string, ...args: string[]) => execFileSync(command, args, {cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']});
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {encoding: 'utf8'})) as [{filename: string; files: {path: string}[]}];
  assert.deepEqual(packed.files.filter(({path}) => !path.startsWith('dist/')).map(({path}) => path).sort(), ['README.md', 'package.json']);

  writeFileSync(join(folder, 'package.json'), '{"name": "user", "private": true}');
  run('npm', 'install', '--silent', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`);
  const core = "console.log(typeof connect, typeof RowcastError)";
  writeFileSync(join(folder, 'use.mjs'), `import {connect, RowcastError} from '@rowcast/client'; ${core}`);
  writeFileSync(join(folder, 'use.cjs'), `const {connect, RowcastError} = require('@rowcast/client'); ${core}`);
  assert.equal(run(process.execPath, 'use.mjs').trim(), 'function function');
  assert.equal(run(process.execPath, 'use.cjs').trim(), 'function function');

  // What a user of a framework has installed already.
  const own = join(process.cwd(), 'node_modules');
  for (const name of ['react', '@tanstack', '@types', 'vue']) symlinkSync(join(own, name), join(folder, 'node_modules', name));
  const {exports} = JSON.parse(readFileSync('package.json', 'utf8')) as {exports: object};
  assert.deepEqual(Object.keys(exports).sort(), Object.keys(entries).sort());
  const specifiers = Object.keys(entries).map((entry) => `@rowcast/client${entry.slice(1)}`);
  const names = Object.values(entries);
  writeFileSync(join(folder, 'all.mjs'), `const all = await Promise.all(${JSON.stringify(specifiers)}.map((each) => import(each)));
    console.log(${JSON.stringify(names)}.filter((name, index) => typeof all[index][name] !== 'function').join());`);
  writeFileSync(join(folder, 'all.cjs'), `const all = ${JSON.stringify(specifiers)}.map((each) => require(each));
    console.log(${JSON.stringify(names)}.filter((name, index) => typeof all[index][name] !== 'function').join());`);
  assert.equal(run(process.execPath, 'all.mjs').trim(), '');
  assert.equal(run(process.execPath, 'all.cjs').trim(), '');

  mkdirSync(join(folder, 'types'));
  for (const kind of ['mts', 'cts']) writeFileSync(join(folder, 'types', `use.${kind}`), `import {connect} from '@rowcast/client';${use}${useHooks}`);
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--module', 'nodenext'];
  run(process.execPath, join(process.cwd(), 'node_modules/typescript/bin/tsc'), ...options, 'types/use.mts', 'types/use.cts');
});
