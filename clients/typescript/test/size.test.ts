// What a page pays, minified and compressed, as its bundler would do it.
import assert from 'node:assert/strict';
import test from 'node:test';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

async function bundle(contents: string): Promise<string> {
  const {outputFiles} = await build({
    stdin: {contents, resolveDir: process.cwd(), loader: 'ts'}, bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, treeShaking: true, external: ['@rowcast/client'],
  });
  return outputFiles[0]!.text;
}

const budgets = [
  ['the core, with one transport', `export {connectWith, openWebSocket} from './src/index.ts'`, 8 * 1024],
  ['everything that connect() brings', `export {connect} from './src/index.ts'`, 11 * 1024],
  ['what sharing among tabs adds', `export {acrossTabs} from './src/tabs.ts'`, 4 * 1024],
  ['an import of a type and an error', `export {RowcastError} from './src/index.ts'`, 512],
] as const;

for (const [what, source, budget] of budgets) {
  test(`${what} is under ${budget} bytes`, async (t) => {
    const size = gzipSync(await bundle(source), {level: 9}).length;
    t.diagnostic(`${size} bytes`);
    assert.ok(size <= budget, `${size} bytes`);
  });
}

test('what is not used is not there', async () => {
  const polling = await bundle(`export {connectWith, openPolling} from './src/index.ts'`);
  assert.ok(!polling.includes('rowcast.v1') && !polling.includes('event-stream'));
  assert.ok(polling.includes('/v1/changes'));
});
