// Runs tests: all in test/, or those named. `node scripts/test.mjs test/machine.test.ts test/bridge`
import {spawnSync} from 'node:child_process';
import {readdirSync, statSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const find = (path) => (statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => find(join(path, name))) : [path]);
const asked = process.argv.slice(2);
const files = (asked.length ? asked : ['test']).flatMap(find).filter((path) => /\.test\.tsx?$/.test(path));
if (!files.length) throw new Error(`no test in ${asked}`);

const outdir = 'build/test';
await build({
  absWorkingDir: root, entryPoints: files.map((file) => './' + file), outdir, outbase: 'test', outExtension: {'.js': '.mjs'},
  bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node18', sourcemap: 'inline', logLevel: 'warning',
});
const made = files.map((file) => join(outdir, relative('test', file)).replace(/\.tsx?$/, '.mjs'));
process.exit(spawnSync(process.execPath, ['--enable-source-maps', '--test', ...(process.env.ROWCAST_TEST_NAME ? [`--test-name-pattern=${process.env.ROWCAST_TEST_NAME}`] : []), ...made], {stdio: 'inherit'}).status ?? 1);
