import assert from 'node:assert/strict';
import test from 'node:test';
import {EventStreamParser} from '../src/transports/sse_parser.js';

const stream = 'retry: 2000\n\nevent: change\ndata: {"a":1}\n\n:\n\nevent: change\nid: c1\ndata: {"b":\ndata: 2}\n\n';
const messages = [{event: 'change', data: '{"a":1}'}, {event: 'change', data: '{"b":\n2}', id: 'c1'}];

test('messages, comments, retry', () => {
  const parser = new EventStreamParser();
  assert.deepEqual(parser.push(stream), messages);
  assert.equal(parser.retry, 2000);
});

for (const end of ['\n', '\r\n', '\r']) {
  test(`cut anywhere, with lines that end in ${JSON.stringify(end)}`, () => {
    const text = stream.replaceAll('\n', end) + ':' + end;
    for (let cut = 0; cut <= text.length; ++cut) {
      const parser = new EventStreamParser();
      assert.deepEqual([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], messages, `cut at ${cut}`);
    }
  });
}

test('an id is of its own message only', () => {
  assert.deepEqual(new EventStreamParser().push('id: 1\ndata: a\n\ndata: b\n\n'), [{event: 'message', data: 'a', id: '1'}, {event: 'message', data: 'b'}]);
});

test('what is not complete is not told', () => {
  assert.deepEqual(new EventStreamParser().push('data: a\n'), []);
});
