// Holds everything that a bridge says against the contracts, and remembers what there was: `requests`, `websocket`, `events`.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {request} from 'node:http';
import {connect} from 'node:net';
import WebSocket from 'ws';
import {adminToken, patience, until} from './bridge.mjs';
import {definition, documents, problems, program, resolve, target} from './contracts.mjs';

/** Everything that was seen: `clients get /v1/rows 200`, `websocket welcome`, `events change`, `code forbidden`, `close 4401`, `reset cursor_expired`. */
export const seen = new Set();

const clients = 'clients.openapi.yaml';
const operators = 'operators.openapi.yaml';
// What frames a message, and means nothing here.
const framing = new Set(['date', 'server', 'connection', 'keep-alive', 'content-length', 'content-type', 'transfer-encoding']);

function noteCode(code) {
  if (code) seen.add(`code ${code}`);
}

function checkHeaders(name, described, headers, what) {
  const known = new Map(Object.entries(described).map(([header, each]) => [header.toLowerCase(), resolve(name, each).value]));
  for (const [header, {required}] of known) {
    if (required) assert.ok(header in headers, `${what} has no ${header}`);
  }
  for (const [header, value] of Object.entries(headers)) {
    if (framing.has(header)) continue;
    assert.ok(known.has(header), `${what} has a header ${header} that is not described`);
    const {const: only, pattern} = known.get(header).schema;
    if (only !== undefined) assert.equal(value, only, `${what}: ${header}`);
    if (pattern) assert.match(value, new RegExp(pattern), `${what}: ${header}`);
  }
}

// The response that the document has for it: the operation's, or for what is no request of the document, the one of that status.
function responseTo(document, method, path, status) {
  const read = method === 'head' ? 'get' : method;
  const operation = documents[document].paths[path]?.[read];
  if (operation) {
    const found = operation.responses[status];
    assert.ok(found, `${document} has no ${status} of ${method} ${path}`);
    return found.$ref ? target(document, found.$ref) : `${document}#/paths/${path.replaceAll('/', '~1')}/${read}/responses/${status}`;
  }
  const {responses} = documents[clients].components;
  const name = Object.keys(responses).find((each) => responses[each].content['application/problem+json'].schema.properties.status.const === status);
  assert.ok(name, `no document has a ${status}`);
  return `${clients}#/components/responses/${name}`;
}

/** Fails where an answer is not as the document says. */
export function checkAnswer(document, method, path, {status, headers, body}) {
  const what = `${status} of ${method} ${path}`;
  const where = responseTo(document, method, path, status);
  const {name, value: response} = resolve(document, {$ref: where});
  seen.add(`${document.split('.')[0]} ${method} ${path} ${status}`);
  checkHeaders(name, response.headers ?? {}, headers, what);
  if (!response.content) {
    assert.equal(body, '', what);
    return undefined;
  }
  const type = headers['content-type'];
  assert.ok(response.content[type], `${what} is ${type}`);
  if (method === 'head' || type === 'text/event-stream') {
    if (method === 'head') assert.equal(body, '', what);
    return undefined;
  }
  if (type.startsWith('text/')) return body;
  const value = JSON.parse(body);
  const {schema} = response.content[type];
  const wrong = problems(schema.$ref?.startsWith('messages') ? schema.$ref : `${where}/content/${type.replaceAll('/', '~1')}/schema`, value);
  assert.equal(wrong, '', `${what}: ${body.slice(0, 1000)}`);
  if (status >= 400 && value.code) {
    assert.equal(value.status, status, what);
    const known = program.errors.find(({code}) => code === value.code);
    assert.equal(known.status, status, what);
    noteCode(value.code);
  }
  noteCode(value.error?.code); // where it breaks off
  return value;
}

/** Sends a request and waits for the head of its answer; `end()` reads the rest, checks it, and gives {status, headers, value}. */
export async function begin(bridge, target, {method = 'GET', headers = {}, token, body, admin = false} = {}) {
  const response = await new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1', port: admin ? bridge.adminPort : bridge.port, method, path: target, agent: false,
      headers: {...(token && {authorization: `Bearer ${token}`}), ...headers},
    }, resolve);
    sent.on('error', reject).setTimeout(patience, () => sent.destroy(new Error(`no answer to ${target}`)));
    sent.end(body);
  });
  const path = target.split('?')[0];
  return {
    async end() {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      const answer = {status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString()};
      const value = checkAnswer(admin ? operators : clients, method.toLowerCase(), path, answer);
      // What a web page may ask for it can also read.
      if (headers.origin && path.startsWith('/v1/') && value?.code !== 'forbidden') {
        assert.equal(answer.headers['access-control-allow-origin'], headers.origin, `${answer.status} of ${path}: ${answer.body.slice(0, 200)}`);
      }
      return {...answer, value};
    },
  };
}

export const ask = async (...request) => (await begin(...request)).end();

/** An operator's call. */
export const call = (bridge, name, body, {token = adminToken, headers = {}, ...rest} = {}) =>
  ask(bridge, `/admin/${name}`, {method: 'POST', admin: true, token, headers: {'content-type': 'application/json', ...headers}, body: typeof body === 'string' ? body : JSON.stringify(body), ...rest});

/** A connection without a request: `end()` waits for what comes all the same. */
export async function hold(port, bytes = '') {
  const socket = connect(port, '127.0.0.1');
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk)).write(bytes);
  const ended = once(socket, 'end');
  ended.catch(() => {}); // of one that is closed by us
  await once(socket, 'connect');
  return {
    close: () => socket.destroy(),
    async end() {
      await ended;
      socket.destroy();
      const [head, body] = Buffer.concat(chunks).toString().split('\r\n\r\n');
      const [line, ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 2)]));
      return {status: Number(line.split(' ')[1]), headers, body};
    },
  };
}

/** What a bridge answers to bytes that are no request. */
export const send = async (bridge, bytes) => checkAnswer(clients, 'unreadable', '', await (await hold(bridge.port, bytes)).end());

/** A WebSocket: `next(type)` gives the next message of that type. */
export class Conversation {
  #messages = [];
  #refusal;

  constructor(bridge, {token, query = '', autoPong = true} = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${bridge.port}/v1/ws${query}`, 'rowcast.v1', {autoPong, headers: token ? {authorization: `Bearer ${token}`} : {}});
    this.socket.on('message', (data, binary) => {
      assert.ok(!binary);
      const text = data.toString();
      const message = JSON.parse(text);
      const wrong = problems(definition('server_message'), message);
      this.#messages.push(wrong ? new Error(`${wrong}: ${text}`) : message);
      seen.add(`websocket ${message.type}`);
      noteCode(message.code);
      if (message.reason) seen.add(`${message.type} ${message.reason}`);
    });
    this.socket.on('upgrade', ({headers}) => {
      seen.add('clients get /v1/ws 101');
      if (headers['sec-websocket-protocol'] !== 'rowcast.v1') this.#refusal = new Error('not rowcast.v1');
    });
    this.socket.on('error', (why) => (this.#refusal = why));
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => {
      seen.add(`close ${code}`);
      resolve({code, reason: reason.toString()});
    }));
  }

  static async open(bridge, options) {
    const made = new Conversation(bridge, options);
    await made.next('welcome');
    return made;
  }

  /** Sends a message, which is one by the schema unless it is meant not to be. */
  say(message, {valid = true} = {}) {
    assert.equal(problems(definition('client_message'), message) === '', valid, JSON.stringify(message));
    this.socket.send(JSON.stringify(message));
  }

  /** All that came until now; what is no message by the contract is an error here. */
  take() {
    for (const each of this.#messages) if (each instanceof Error) throw each;
    return this.#messages.splice(0);
  }

  /** What comes up to a message, and this one last. */
  async upTo(type, matches = () => true) {
    const passed = [];
    return until(() => {
      if (this.#refusal) throw this.#refusal;
      passed.push(...this.take());
      const at = passed.findIndex((each) => each.type === type && matches(each));
      if (at >= 0) this.#messages.unshift(...passed.splice(at + 1));
      return at >= 0 && passed;
    }, () => `no ${type}, but ${JSON.stringify(passed).slice(0, 2000)}`);
  }

  async next(type, matches) {
    return (await this.upTo(type, matches)).at(-1);
  }

  async ended(code) {
    const end = await this.closed;
    this.take();
    assert.equal(end.code, code, end.reason);
    return end;
  }

  async close() {
    this.socket.close();
    await this.closed;
    this.take();
  }
}

/** An event stream: `next(event)` gives the data of the next event of that name. */
export class Stream {
  #events = [];
  #rest = '';

  static async open(bridge, query, {token, headers = {}} = {}) {
    const made = new Stream();
    const path = `/v1/sse?${query}`;
    await new Promise((resolve, reject) => {
      made.request = request({host: '127.0.0.1', port: bridge.port, path, agent: false, headers: {...(token && {authorization: `Bearer ${token}`}), ...headers}}, (response) => {
        try {
          assert.equal(response.statusCode, 200);
          checkAnswer(clients, 'get', '/v1/sse', {status: 200, headers: response.headers, body: ''});
          made.ended = new Promise((end) => response.on('close', end).on('error', () => {}));
          response.setEncoding('utf8').on('data', (text) => made.#read(text));
          resolve();
        } catch (why) {
          reject(why);
        }
      }).on('error', reject);
      made.request.end();
    });
    return made;
  }

  #read(text) {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split('\n').filter((line) => !line.startsWith(':'));
      const fields = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
      if (!fields.event) {
        assert.deepEqual(Object.keys(fields).filter((name) => name !== 'retry'), []);
        continue;
      }
      const message = documents['asyncapi.yaml'].channels.events.messages[fields.event];
      const data = JSON.parse(fields.data);
      const wrong = message ? problems(message.payload.$ref, data) : 'there is no such event';
      this.#events.push(wrong ? new Error(`${fields.event}: ${wrong}: ${fields.data}`) : {event: fields.event, data, id: fields.id});
      seen.add(`events ${fields.event}`);
      noteCode(data.code);
      if (data.reason) seen.add(`${fields.event} ${data.reason}`);
      // The cursor of an event stands in its data, where it stands there, and in its id.
      if (data.cursor && data.cursor !== fields.id) this.#events.push(new Error(`${fields.event}: two cursors`));
    }
  }

  async next(event, matches = () => true) {
    const passed = [];
    return until(() => {
      passed.push(...this.#events.splice(0));
      const broken = passed.find((each) => each instanceof Error);
      if (broken) throw broken;
      const at = passed.findIndex((each) => each.event === event && matches(each.data));
      if (at >= 0) this.#events.unshift(...passed.slice(at + 1));
      return at >= 0 && passed[at];
    }, () => `no ${event}, but ${JSON.stringify(passed).slice(0, 2000)}`);
  }

  close() {
    this.request.destroy();
  }
}
