// Bundles the pages into a folder: node build.mjs FOLDER. The bakery's page twice, before and after, and the stage that shows both.
import {copyFile, mkdir, readFile, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const out = resolve(process.argv[2] ?? 'build');
process.chdir(dirname(fileURLToPath(import.meta.url)));

// A project of one's own has installed @rowcast/client, react and esbuild; here they are those of this repository.
const client = resolve('../../clients/typescript');
const {build} = createRequire(join(client, 'package.json'))('esbuild');
const common = {
  bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning',
  alias: {'@rowcast/client/react': join(client, 'src/react.ts'), '@rowcast/client': join(client, 'src/index.ts')},
  nodePaths: [join(client, 'node_modules')],
  tsconfigRaw: {compilerOptions: {jsx: 'react-jsx'}},
};
const define = (values) => Object.fromEntries(Object.entries({'process.env.NODE_ENV': 'production', ...values}).map(([name, value]) => [name, JSON.stringify(value)]));

const bundle = async (folder, page, html, options) => {
  await build({...common, entryPoints: [page], outdir: join(out, folder), entryNames: 'main', ...options});
  await writeFile(join(out, folder, 'index.html'), html);
};

const page = await readFile('app/web/index.html', 'utf8');
const staged = page.replace('<script', '<script src="../inside.js"></script>\n  <script');
const sources = {};
for (const path of ['app/web/data.tsx', 'live/data.tsx', 'live/watch.sql', 'live/bridge.yaml']) sources[path] = await readFile(path, 'utf8');

await mkdir(out, {recursive: true});
await bundle('before', 'app/web/main.tsx', staged, {define: define({})});
await bundle('after', 'app/web/main.tsx', staged, {conditions: ['live'], define: define({LIVE_URL: process.env.LIVE_URL})});
await bundle('.', 'stage/main.tsx', await readFile('stage/index.html', 'utf8'), {define: define({HAND_URL: process.env.HAND_URL, SOURCES: sources})});
await build({...common, format: 'iife', entryPoints: ['stage/inside.ts'], outfile: join(out, 'inside.js')});
await copyFile('../../src/cli/demo/page/mark.svg', join(out, 'mark.svg'));
