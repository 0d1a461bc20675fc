// The reference is made of the sources: whatever can be imported is explained there, and what it refers to can be imported too.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';

test('everything of each entry is in the reference, with a word on what it is', (t) => {
  const {entryPoints} = JSON.parse(readFileSync('typedoc.json', 'utf8')) as {entryPoints: string[]};
  const {exports} = JSON.parse(readFileSync('package.json', 'utf8')) as {exports: Record<string, {import: {default: string}}>};
  assert.deepEqual(entryPoints, Object.values(exports).map((each) => each.import.default.replace(/^\.\/dist(.*)\.js$/, 'src$1.ts')));

  const folder = mkdtempSync(join(tmpdir(), 'rowcast-api-'));
  t.after(() => rmSync(folder, {recursive: true}));
  const {status, stdout, stderr} = spawnSync(process.execPath, ['node_modules/typedoc/bin/typedoc', '--out', folder], {encoding: 'utf8'});
  assert.equal(status, 0, stdout + stderr);
  assert.match(readFileSync(join(folder, 'outbox.md'), 'utf8'), /idempotencyKey/);
});
