// The contracts as documents: valid by the standards that they are written in, and about the same things as the program.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import test from 'node:test';
import {Validator} from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import {documents, part, problems, program, resolve, source, target} from './support/contracts.mjs';

const read = createRequire(import.meta.url);
const schemas = Object.keys(documents).filter((name) => name.endsWith('.schema.json'));
const openapi = Object.keys(documents).filter((name) => name.endsWith('.openapi.yaml'));
const {$defs} = documents['messages.schema.json'];
const sorted = (list) => [...list].sort();

function* references(value) {
  if (value === null || typeof value !== 'object') return;
  if (typeof value.$ref === 'string') yield value.$ref;
  for (const each of Object.values(value)) yield* references(each);
}

test('every document is one of those that the folder is for', () => {
  assert.deepEqual(sorted(Object.keys(documents)), ['asyncapi.yaml', 'bridge.schema.json', 'clients.openapi.yaml', 'messages.schema.json', 'operators.openapi.yaml']);
});

for (const name of schemas) {
  test(`${name} is JSON Schema 2020-12, and every part of it is used`, () => {
    const ajv = formats(new Ajv2020({strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true}));
    assert.equal(documents[name].$schema, 'https://json-schema.org/draft/2020-12/schema');
    ajv.compile(documents[name]);
    const used = new Set(Object.entries(documents).flatMap(([at, document]) => [...references(document)].map((each) => target(at, each))));
    const parts = Object.keys(documents[name].$defs).map((each) => `${name}#/$defs/${each}`);
    assert.deepEqual(parts.filter((each) => !used.has(each)), []);
  });
}

test('the messages mean by draft 7, which AsyncAPI goes by, what they mean by 2020-12', () => {
  const later = ['unevaluatedProperties', 'unevaluatedItems', 'dependentRequired', 'dependentSchemas', 'prefixItems', 'minContains', 'maxContains', '$dynamicRef', '$anchor'];
  const text = source('docs/contracts/messages.schema.json');
  assert.deepEqual(later.filter((word) => text.includes(`"${word}":`)), []);
  const beside = [];
  JSON.parse(text, (name, value) => {
    // There, what stands beside a reference is ignored.
    if (value?.$ref) beside.push(...Object.keys(value).filter((word) => !['$ref', 'description'].includes(word)));
    return value;
  });
  assert.deepEqual(beside, []);
});

for (const name of openapi) {
  test(`${name} is OpenAPI 3.1`, async () => {
    const validator = new Validator();
    const others = new Set([...references(documents[name])].map((each) => each.split('#')[0]).filter(Boolean));
    for (const other of others) validator.addSpecRef(structuredClone(documents[other]), other);
    const {valid, errors} = await validator.validate(structuredClone(documents[name]));
    assert.ok(valid, JSON.stringify(errors, null, 1));
    assert.equal(validator.version, '3.1');
  });
}

test('asyncapi.yaml is AsyncAPI 3', () => {
  const ajv = formats(new Ajv({strict: false, meta: false, validateSchema: false}));
  const validate = ajv.compile(read('@asyncapi/specs/schemas/3.0.0.json'));
  assert.ok(validate(documents['asyncapi.yaml']), ajv.errorsText(validate.errors));
});

test('all references lead somewhere', () => {
  for (const [name, document] of Object.entries(documents)) {
    const nowhere = [...references(document)].filter((each) => part(target(name, each)) === undefined);
    assert.deepEqual(nowhere, [], name);
  }
});

test('the error codes are those of the program, each with its status where HTTP has it', () => {
  assert.deepEqual(sorted($defs.error_code.enum), sorted(program.errors.map(({code}) => code)));
  const {responses} = documents['clients.openapi.yaml'].components;
  const byStatus = {422: ['configuration_invalid']}; // has a form of its own
  for (const each of Object.values(responses)) {
    const {status, code} = each.content['application/problem+json'].schema.properties;
    byStatus[status.const] = code.enum ?? [code.const];
  }
  const wanted = {};
  // A WebSocket that is closed for its silence is no answer to a request.
  for (const {code, status} of program.errors.filter(({code}) => code !== 'no_heartbeat')) (wanted[status] ??= []).push(code);
  for (const status of Object.keys({...wanted, ...byStatus})) assert.deepEqual(sorted(byStatus[status] ?? []), sorted(wanted[status] ?? []), status);
});

test('the close codes of a WebSocket are those of the program', () => {
  const told = documents['asyncapi.yaml'].channels.websocket.description.match(/\d{4}/g);
  const used = new Set(program.errors.map(({close}) => close));
  assert.deepEqual(sorted(told), sorted([...used].filter((name) => name !== 'none').map((name) => String(program.closeCodes[name]))));
});

test('the messages are those of the program, in the schemas and in AsyncAPI', () => {
  const {channels, operations} = documents['asyncapi.yaml'];
  const typesOf = (union) => [...new Set($defs[union].oneOf.map((each) => resolve('messages.schema.json', each).value.properties.type.const))];
  assert.deepEqual(sorted(typesOf('client_message')), sorted(program.clientMessages));
  assert.deepEqual(sorted(typesOf('server_message')), sorted(program.serverMessages));
  const unions = [...$defs.client_message.oneOf, ...$defs.server_message.oneOf].map(({$ref}) => `messages.schema.json${$ref}`);
  assert.deepEqual(sorted(Object.values(channels.websocket.messages).map(({payload}) => payload.$ref)), sorted(unions));
  const heard = [...operations.hear.messages, ...operations.say.messages].map(({$ref}) => $ref.split('/').at(-1));
  assert.deepEqual(sorted(heard), sorted(Object.keys(channels.websocket.messages)));
  assert.deepEqual(sorted(Object.keys(channels.events.messages)), sorted(program.streamEvents));
});

test('the resources are those of the program', () => {
  assert.deepEqual(sorted(Object.keys(documents['clients.openapi.yaml'].paths)), sorted(program.resources));
  const calls = program.calls.map((name) => `/admin/${name}`);
  assert.deepEqual(sorted(Object.keys(documents['operators.openapi.yaml'].paths)), sorted(['/healthz', '/readyz', '/metrics', '/admin', ...calls]));
});

test("the manual's messages are those of the contracts", () => {
  const manual = source('docs/protocol.md');
  const block = manual.slice(manual.indexOf('    > {"type":"auth"'), manual.indexOf('- Of a `subscribe` only'));
  const lines = [...block.matchAll(/([<>]) (\{"type":.*?\})(?=$| {2,}|\n)/gms)].map(([, from, text]) => [from, text]);
  assert.ok(lines.length >= 15, `${lines.length} examples`);
  for (const [from, text] of lines) {
    const filled = text.replace(/\s+/g, ' ').replace('"live"|"resumed"|"reset"', '"reset"').replace('"reason":…', '"reason":"cursor_expired"').replace('[…]', '[]');
    const message = JSON.parse(filled);
    assert.equal(problems(`messages.schema.json#/$defs/${from === '>' ? 'client' : 'server'}_message`, message), '', text);
  }
  const event = JSON.parse(manual.slice(manual.indexOf('{"subs":'), manual.indexOf('| member |')));
  assert.equal(problems('messages.schema.json#/$defs/event', event), '');
});
