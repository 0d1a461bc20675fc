import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {once} from 'node:events';
import test from 'node:test';
import {openPage} from './support/browser.mjs';

test('a page in the browser receives server-sent events from loopback', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, {'content-type': 'text/event-stream'}).write('data: hello\n\n');
    } else {
      response.writeHead(200, {'content-type': 'text/html'}).end(
        '<p></p><script>new EventSource("/events").onmessage = (e) => document.querySelector("p").textContent = e.data</script>');
    }
  }).listen(0, '127.0.0.1');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  await once(server, 'listening');

  const page = await openPage(t);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.getByText('hello').waitFor();
  assert.equal(await page.locator('p').textContent(), 'hello');
});
