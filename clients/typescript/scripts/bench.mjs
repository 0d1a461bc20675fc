// Runs bench/browser.ts with the arguments that are given.
import {spawnSync} from 'node:child_process';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const outfile = 'build/bench/browser.mjs';
await build({entryPoints: ['bench/browser.ts'], outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node18', sourcemap: 'inline', logLevel: 'warning'});
process.exit(spawnSync(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], {stdio: 'inherit'}).status ?? 1);
