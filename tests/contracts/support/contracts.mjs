// The documents of docs/contracts, and what they say of a value: `problems('messages.schema.json#/$defs/welcome', value)`.
import {readFileSync, readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import {parse} from 'yaml';

const root = new URL('../../../', import.meta.url);
export const sourcePath = (path) => fileURLToPath(new URL(path, root));
export const source = (path) => readFileSync(sourcePath(path), 'utf8');

const folder = 'docs/contracts/';
export const documents = Object.fromEntries(readdirSync(sourcePath(folder)).map((name) => [name, parse(source(folder + name))]));

// Later versions may say more; this one says nothing that is not written down.
function closed(schema) {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const made = Object.fromEntries(Object.entries(schema).map(([name, each]) => [name, closed(each)]));
  return made.type === 'object' && made.properties && !('additionalProperties' in made) ? {...made, unevaluatedProperties: false} : made;
}

// Not strict: what OpenAPI says around its schemas are no keywords.
const ajv = formats(new Ajv({strict: false, allErrors: true, validateSchema: false}));
for (const [name, document] of Object.entries(documents)) ajv.addSchema(closed(document), name);

/** What is wrong with a value by a part of a document; empty where nothing is. */
export function problems(where, value) {
  const validate = ajv.getSchema(where);
  if (!validate) throw new Error(`there is no ${where}`);
  return validate(value) ? '' : ajv.errorsText(validate.errors, {dataVar: where.split('/').at(-1)});
}

/** A part of a document, by its JSON pointer; follows references into other documents. */
export function part(where) {
  const [name, pointer = ''] = where.split('#');
  let found = documents[name];
  for (const step of pointer.split('/').slice(1)) {
    found = found?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return found;
}

/** Where a reference that stands in a document leads to. */
export const target = (name, reference) => (reference.startsWith('#') ? name + reference : reference);

/** A part, or what it refers to, and the document that this stands in. */
export function resolve(name, value) {
  while (value?.$ref) {
    const where = target(name, value.$ref);
    [name] = where.split('#');
    value = part(where);
  }
  return {name, value};
}

export const definition = (name) => `messages.schema.json#/$defs/${name}`;

// What the program itself says that there is.
const quoted = (text) => [...text.matchAll(/"([^"]+)"/g)].map(([, word]) => word);
const between = (path, begin, end) => {
  const text = source(path);
  const from = text.indexOf(begin);
  if (from < 0) throw new Error(`${path} has no ${begin}`);
  return text.slice(from, text.indexOf(end, from));
};
const all = (path, pattern) => [...new Set([...source(path).matchAll(pattern)].map(([, word]) => word))];

export const program = {
  errors: [...source('src/core/error_code.cpp').matchAll(/error_info\{\w+, "(\w+)", (\d+), close_code::(\w+)/g)].map(([, code, status, close]) => ({code, status: Number(status), close})),
  closeCodes: Object.fromEntries([...between('src/core/error_code.hpp', 'enum class close_code', '};').matchAll(/(\w+) = (\d+)/g)].map(([, name, code]) => [name, Number(code)])),
  clientMessages: quoted(between('src/protocol/client_message.cpp', 'types{', '}')),
  serverMessages: all('src/protocol/server_message.cpp', /message(?: said)?\("(\w+)"[,)]/g),
  streamEvents: all('src/net/event_stream.cpp', /write\("(\w+)"/g),
  resources: quoted(between('src/net/router.cpp', 'resources{', '}')),
  // GET and POST /admin/NAME.
  calls: [...new Set([...between('src/app/admin_office.cpp', '::calls()', '::stop()').matchAll(/\{"(\w+)", /g)].map(([, name]) => name))],
};
