// Makes dist/: ES modules and CommonJS of the same sources, with types for both.
import {spawnSync} from 'node:child_process';
import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
rmSync('dist', {recursive: true, force: true});

const {exports} = JSON.parse(readFileSync('package.json', 'utf8'));
const entryPoints = Object.values(exports).map((each) => each.import.default.replace(/^\.\/dist(.*)\.js$/, 'src$1.ts'));
const common = {absWorkingDir: root, entryPoints, outdir: 'dist', bundle: true, packages: 'external', external: ['@rowcast/client'], target: 'es2022', sourcemap: true, logLevel: 'warning'};
await build({...common, format: 'esm', splitting: true, chunkNames: 'chunks/[name]-[hash]'});
await build({...common, format: 'cjs', platform: 'node', outExtension: {'.js': '.cjs'}});

const tsc = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {stdio: 'inherit'});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
// CommonJS wants declarations of its own name; they say the same.
for (const name of readdirSync('dist', {recursive: true})) {
  if (!name.endsWith('.d.ts')) continue;
  const text = readFileSync(`dist/${name}`, 'utf8');
  writeFileSync(`dist/${name.replace(/ts$/, 'cts')}`, text.replace(/(from '\.[^']*)\.js'/g, "$1.cjs'"));
}
