// Actions of an application in a real browser, with its own storage and locks: each is done once, in order, whatever happens on the way.
import assert from 'node:assert/strict';
import test, {type TestContext} from 'node:test';
import type {Page, Route} from 'playwright-core';
import {serve} from '../support/page.js';
import {until} from '../support/until.js';

const script = `
  window.done = [];
  window.failed = [];
  window.outbox = new rowcast.Outbox({
    name: 'test',
    limits: {backoff: 50, backoffMost: 500},
    send: async (action, {idempotencyKey, signal}) => {
      await rowcast.answered(await fetch('/do', {method: 'POST', headers: {'Idempotency-Key': idempotencyKey}, body: action, signal}));
      return action;
    },
  });
  window.act = (...actions) => Promise.all(actions.map((action) => {
    const {stored, done} = outbox.add(action);
    done.then((each) => window.done.push(each), ({message}) => window.failed.push(message));
    return stored;
  }));
  window.ready = true;`;

/** The application's own server: it does what it has not done, and answers as it is told. */
class Server {
  readonly effects: string[] = [];
  readonly #keys = new Set<string>();
  requests = 0;
  habit: 'answer' | 'fail' | 'do and keep waiting' = 'answer';

  async take(route: Route): Promise<void> {
    ++this.requests;
    const request = route.request();
    const key = request.headers()['idempotency-key']!;
    if (this.habit === 'fail') return route.abort('connectionrefused');
    const action = request.postData()!;
    if (action === 'never') return route.fulfill({status: 422, body: 'never'});
    if (!this.#keys.has(key)) this.effects.push(action);
    this.#keys.add(key);
    if (this.habit === 'answer') return route.fulfill({status: 200});
  }
}

async function set(t: TestContext) {
  const site = await serve(t, () => script, './src/outbox.ts');
  const user = await site.user();
  const server = new Server();
  await user.route('**/do', (route) => server.take(route).catch(() => {})); // a page that has gone wants no answer
  const open = async () => {
    const page = await site.open(undefined, user);
    await page.waitForFunction('window.ready');
    return page;
  };
  return {user, server, open};
}

const act = (page: Page, ...actions: string[]) => page.evaluate(`act(...${JSON.stringify(actions)}).then(() => {})`);

const empty = (page: Page) => page.waitForFunction('outbox.snapshot.entries.length === 0');

const numbered = (name: string, count: number) => Array.from({length: count}, (_, index) => `${name}${index}`);

test('what is done without a network waits, and is done in its order when there is one', async (t) => {
  const {user, server, open} = await set(t);
  const pages = [await open(), await open()];
  await user.setOffline(true);
  for (const page of pages) await page.waitForFunction('!navigator.onLine');
  await act(pages[0]!, 'a', 'b');
  await act(pages[1]!, 'c', 'never', 'd');
  assert.equal(server.requests, 0);
  await user.setOffline(false);
  for (const page of pages) await empty(page);
  assert.deepEqual(server.effects, ['a', 'b', 'c', 'd']);
  await pages[1]!.waitForFunction('failed.length === 1 && done.length === 2');
  assert.deepEqual(await pages[0]!.evaluate('done'), ['a', 'b']);
  assert.deepEqual(await pages[1]!.evaluate('[done, failed]'), [['c', 'd'], ['the server answered with 422']]);
});

test('what waits outlives the page, and what the server had done when the page went is not done again', async (t) => {
  const {server, open} = await set(t);
  const page = await open();
  server.habit = 'fail';
  await act(page, ...numbered('a', 5));
  await until(() => server.requests > 2, () => `${server.requests} requests`);
  await page.reload();
  await page.waitForFunction('window.ready && outbox.snapshot.entries.length === 5');
  server.habit = 'do and keep waiting';
  await until(() => server.effects.length === 1, () => server.effects.join());
  await page.reload();
  server.habit = 'answer';
  await page.waitForFunction('window.ready');
  await act(page, 'last');
  await empty(page);
  assert.deepEqual(server.effects, [...numbered('a', 5), 'last']);
});

test('two tabs do what both were given, each once; the one that is left does the rest', async (t) => {
  const {server, open} = await set(t);
  const [first, second] = [await open(), await open()];
  const adding = [act(first, ...numbered('a', 30)), act(second, ...numbered('b', 30))];
  await Promise.all(adding);
  await until(() => server.effects.length > 5, () => server.effects.join());
  await first.close();
  await empty(second);
  assert.equal(server.effects.length, 60);
  for (const name of ['a', 'b']) assert.deepEqual(server.effects.filter((each) => each.startsWith(name)), numbered(name, 30));
});
