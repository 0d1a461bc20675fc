// Debian's Chromium for a test: `const page = await openPage(t)`, closed when the test ends.
import {access} from 'node:fs/promises';

const executablePath = process.env.ROWCAST_CHROMIUM ?? '/usr/bin/chromium';

const {chromium} = await import('playwright-core').catch(() => {
  throw new Error('playwright-core is missing: run scripts/test, or npm ci --prefix tests/e2e/browser');
});

export async function openBrowser(t) {
  await access(executablePath).catch(() => {
    throw new Error(`${executablePath} is missing: run scripts/setup test, or set ROWCAST_CHROMIUM`);
  });
  const browser = await chromium.launch({
    executablePath,
    // Root cannot have Chromium's sandbox; the others keep it from calling anybody but the test.
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  });
  t.after(() => browser.close());
  return browser;
}

export async function openPage(t) {
  const page = await (await openBrowser(t)).newPage();
  page.setDefaultTimeout(120_000); // only a real failure reaches it, on a busy machine too
  return page;
}
