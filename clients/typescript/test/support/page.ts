// The client in Debian's Chromium, on a page of another origin than the bridge's.
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Scope} from './scope.js';
import {build, type Plugin} from 'esbuild';
import {chromium, type BrowserContext, type Page} from 'playwright-core';

export interface Site {
  readonly origin: string;
  /** A new page, of a user's own or beside the other tabs of one; `prepare` has its turn before it is loaded. */
  open(prepare?: (page: Page) => Promise<void>, user?: BrowserContext): Promise<Page>;
  user(): Promise<BrowserContext>;
}

/** Serves a page that runs a script with `source` as `rowcast`, a <p> for its state and a <ul> for its rows. */
export async function serve(t: Scope, script: () => string, source = './src/index.ts', plugins: Plugin[] = []): Promise<Site> {
  const {outputFiles} = await build({
    stdin: {contents: `export * from '${source}'`, resolveDir: process.cwd(), loader: 'ts'}, bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, plugins,
    define: {
      'process.env.NODE_ENV': '"development"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
  });
  const server = createServer((request, response) => {
    if (request.url === '/client.js') response.writeHead(200, {'content-type': 'text/javascript'}).end(outputFiles[0]!.contents);
    else response.writeHead(200, {'content-type': 'text/html'}).end(`<!doctype html><meta charset="utf-8"><p></p><ul></ul><script type="module">
      import * as rowcast from '/client.js';
      ${script()}
    </script>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({
    executablePath: process.env['ROWCAST_CHROMIUM'] ?? '/usr/bin/chromium',
    // Root cannot have Chromium's sandbox; the others keep it from calling anybody but the test.
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  });
  t.after(() => browser.close());
  return {
    origin,
    user: () => browser.newContext(),
    async open(prepare, user) {
      const page = await (user ?? browser).newPage();
      page.on('pageerror', (error) => console.error(`the page: ${error.message}`));
      page.setDefaultTimeout(120_000);
      await prepare?.(page);
      await page.goto(origin);
      return page;
    },
  };
}
