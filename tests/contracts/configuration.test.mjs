// bridge.schema.json and `rowcast check` say the same of every configuration, as far as a schema can say it.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test, {after} from 'node:test';
import {parse} from 'yaml';
import {documents, problems, source, sourcePath} from './support/contracts.mjs';

const schema = documents['bridge.schema.json'];
const folder = mkdtempSync(join(tmpdir(), 'rowcast-contracts-'));
after(() => rmSync(folder, {recursive: true}));

const secret = '0123456789abcdef0123456789abcdef';
const environment = {
  JWT_SECRET: secret, DATABASE_URL: 'postgresql:///x', LIVE_LISTEN: '127.0.0.1:1', LIVE_ADMIN: '127.0.0.1:2', LIVE_ORIGIN: 'https://a.example',
};

// What only the program can say.
const beyond = [
  /must be between/, /needs at least \d+ \(RFC/, /repeats the same few characters/, /whole number from .* not '\d+'/, /an address and a port.*not '[\d.:]+'/,
  /there is no set/, /environment variable/, /cannot be read|cannot be opened|no such file/i, /has an empty name in it/,
  /has .* twice/, /one address of/, /lets nobody in/, /goes with a Unix socket/, /needs server\.tls/, /as chmod does/,
  /expected the user/, /names no user/, /neither a role nor a list/, /a list of plain values/,
];

/** What `rowcast check` has against a text, as {message, severity}. */
function check(text, env = {}) {
  const file = join(folder, 'bridge.yaml');
  writeFileSync(file, text);
  const {status, stdout, stderr} = spawnSync(process.env.ROWCAST_BINARY, ['check', '--offline', '--json', file], {env, encoding: 'utf8'});
  assert.ok([0, 1, 3].includes(status), `rowcast check ended with ${status}: ${stderr}`);
  return {valid: status !== 3, found: JSON.parse(stdout).filter(({severity}) => severity === 'error')};
}

function bySchema(text) {
  try {
    return problems('bridge.schema.json', parse(text) ?? null);
  } catch (why) {
    if (why.name === 'YAMLParseError') return why.message;
    throw why;
  }
}

/** Whether the bridge takes it, and where the schema is of another mind. */
function compare(text, env) {
  const {valid, found} = check(text, env);
  const wrong = bySchema(text);
  const told = found.map(({message}) => message);
  const different = valid ? wrong && `only the schema refuses it: ${wrong}` : !wrong && !told.every((each) => beyond.some((pattern) => pattern.test(each))) && `only the bridge refuses it: ${told}`;
  return {valid, different};
}

const yamlBlocks = (path) => [...source(path).matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text]) => text);
const markdown = ['README.md', 'examples/bakery/README.md', ...readdirSync(sourcePath('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const files = ['config/bridge.yaml', 'config/compose.yaml', 'examples/bakery/live/bridge.yaml', 'src/cli/demo/page/rules.yaml'];

for (const file of files) {
  test(`${file} is valid, by the schema and by the program`, () => assert.deepEqual(compare(source(file), environment), {valid: true, different: ''}));
}

test("so is every example of the manual", () => {
  const blocks = markdown.filter((path) => existsSync(sourcePath(path))).flatMap(yamlBlocks);
  assert.ok(blocks.length >= 5, `${blocks.length} examples`);
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=shop', '-out', 'shop.pem', '-keyout', 'shop.key'], {cwd: folder});
  assert.equal(made.status, 0, String(made.stderr));
  // The certificate that they name is not on this machine.
  for (const each of blocks) assert.deepEqual(compare(each.replaceAll('/etc/rowcast/', `${folder}/`), environment), {valid: true, different: ''}, each);
});

test('files that name a schema for editors name this one', () => {
  const named = files.flatMap((file) => [...source(file).matchAll(/^# yaml-language-server: \$schema=(\S+)$/gm)].map(([, path]) => join(dirname(file), path)));
  assert.ok(named.length > 0);
  for (const each of named) assert.equal(each, 'docs/contracts/bridge.schema.json');
});

test('the defaults are those of the reference configuration, and it has every key', () => {
  const compareDefaults = (part, given, path) => {
    for (const [name, each] of Object.entries(part.properties)) {
      const where = `${path}${name}`;
      assert.ok(name in given, `${where} is in config/bridge.yaml`);
      if (each.properties && given[name] !== null) compareDefaults(each, given[name], `${where}.`);
      else assert.deepEqual(given[name] ?? undefined, each.default, where);
    }
  };
  compareDefaults(schema, parse(source('config/bridge.yaml')), '');
});

// Each object of the file with keys of its own: its path in messages, and the schema's keys of it.
const {listener, jwt_key, table_rule, channel_rule, set, expectation} = schema.$defs;
const sections = {
  '': schema, database: schema.properties.database, 'database.retention': schema.properties.database.properties.retention,
  'database.rows': schema.properties.database.properties.rows, server: schema.properties.server, 'server.listen': listener,
  'server.admin': {properties: {address: {}, mode: {}}}, 'server.tls': schema.properties.server.properties.tls,
  'server.limits': schema.properties.server.properties.limits, auth: schema.properties.auth, 'auth.jwt[0]': jwt_key, rollout: schema.properties.rollout,
  log: schema.properties.log, 'tables.public.t[0]': table_rule, 'channels.c[0]': channel_rule, 'sets.s': set, 'expectations[0]': expectation,
  'expectations[0].change': expectation.properties.change,
};

test("the schema's keys are those that the program reads, section by section", () => {
  const reading = /\b(?:text|texts|flag|choice|listen_on|duration|number|size|inner|each|raw|object|members)\(\s*(?:\w+,\s*)?"(\w+)"/g;
  const read = readdirSync(sourcePath('src/config')).filter((name) => name.endsWith('.cpp')).flatMap((name) => [...source(`src/config/${name}`).matchAll(reading)].map(([, key]) => key));
  const known = new Set(read);
  const ofSchema = new Set(Object.values(sections).flatMap(({properties}) => Object.keys(properties)));
  assert.deepEqual([...ofSchema].sort(), [...known].sort());

  // Every key in every section: the program must not know exactly those that the schema does not have there.
  const tree = (path) => Object.fromEntries([...known].map((key) => {
    const inner = `${path && `${path}.`}${key}`;
    if (inner in sections) return [key, tree(inner)];
    const list = {'auth.jwt': 'auth.jwt[0]', expectations: 'expectations[0]'}[inner];
    if (list) return [key, [tree(list)]];
    const named = {tables: ['public.t', 'tables.public.t[0]'], channels: ['c', 'channels.c[0]']}[inner];
    if (named) return [key, {[named[0]]: [tree(named[1])]}];
    return [key, inner === 'sets' ? {s: tree('sets.s')} : null];
  }));
  const wanted = Object.entries(sections).flatMap(([path, {properties}]) => [...known].filter((key) => !(key in properties)).map((key) => `${path && `${path}.`}${key}`));
  const {found} = check(JSON.stringify(tree('')));
  const unknown = found.map(({message}) => /^unknown key '([^']+)'/.exec(message)?.[1]).filter(Boolean);
  assert.deepEqual(unknown.sort(), wanted.sort());
});

test('operators, words and algorithms are those of the program', () => {
  const words = (path, begin) => {
    const text = source(path);
    const from = text.indexOf(begin);
    assert.ok(from > 0, begin);
    return [...text.slice(from, text.indexOf('}', from)).matchAll(/"([^"]+)"/g)].map(([, word]) => word).sort();
  };
  const operators = words('src/policy/predicate_parser.cpp', 'operators = {');
  const tests = words('src/policy/predicate_parser.cpp', 'tests = {');
  for (const name of ['bridge.schema.json', 'messages.schema.json']) {
    const {operators: here} = documents[name].$defs;
    assert.deepEqual(Object.keys(here.properties).sort(), operators, name);
    const is = here.properties.is.enum ?? here.properties.is.anyOf[0].enum;
    assert.deepEqual(is.filter((word) => typeof word === 'string').sort(), tests, name);
  }
  assert.deepEqual([...jwt_key.properties.algorithm.enum].sort(), words('src/config/jwt.cpp', 'all = {'));
});

// The texts that the program's own tests call `name` with: all that stand there as one literal.
function cases(path, name, begin = '', end = '') {
  const calls = new RegExp(`\\b${name}\\("((?:[^"\\\\]|\\\\.)*)"\\)`, 'g');
  const texts = [...source(path).matchAll(calls)].map(([, text]) => begin + JSON.parse(`"${text}"`) + end);
  assert.ok(texts.length > 5, `${path} has cases of ${name}`);
  return texts;
}

test("what the program's own tests try is taken and refused by the schema as well", () => {
  const tried = [
    ...cases('tests/config/load.cpp', 'problems'),
    ...cases('tests/config/load.cpp', 'with_key', 'auth: {jwt: [{', '}]}'),
    ...cases('tests/config/expectations.cpp', 'wrong', 'expectations:\n  - '),
  ];
  const outcomes = tried.map((text) => ({text, ...compare(text)}));
  assert.deepEqual(outcomes.filter(({different}) => different), []);
  assert.ok(outcomes.filter(({valid}) => !valid).length > 50);
});

// Odd values in the place of every value, each on a line of its own: what is wrong has its line, so that one run of the
// program tries many.
const odd = [-1, '', '$x', 'x', 'off', true, [], {a: 1}, [null], [{}]];

/** `places` are {text, alone}: a line of the file, and a whole file with only this in it. Where the two are of different minds. */
function differences(before, places) {
  const {found} = check([before, ...places.map(({text}) => text)].join('\n'));
  const first = before.split('\n').length + 1;
  let refused = 0;
  const different = places.flatMap(({text, alone}, i) => {
    const told = found.filter(({line}) => line === first + i).map(({message}) => message);
    const wrong = problems('bridge.schema.json', alone);
    refused += told.length > 0 ? 1 : 0;
    if (wrong ? told.length > 0 : told.every((each) => beyond.some((pattern) => pattern.test(each)))) return [];
    return [{text, bridge: told, schema: wrong}];
  });
  return {different, refused};
}

const scalars = {
  database: {url: 'x', poll_interval: '5s', retention: {age: '7d', size: '10GB'}, rows: {url: 'x', concurrent: 2, queue: 0, wait: '5s', timeout: '30s', limit: 10}, notify_channels: ['legacy']},
  server: {
    listen: '0.0.0.0:8080', admin: '[::1]:9091', admin_token: '0123456789abcdef', admin_hosts: ['admin.example.com'], tls: {certificate: 'a.pem', key: 'b.pem'}, origins: ['https://a.example'], heartbeat: '10s',
    limits: {sessions: 7, sessions_per_user: 6, subscriptions_per_session: 5, message_size: '2KB', messages_per_second: 4, connects_per_second_per_address: 3, send_buffer: '64KB'},
  },
  auth: {roles_claim: 'realm.roles', leeway: '10s', grace: '2m', longest_token: '7d', anonymous: true},
  rollout: {websocket: 50, sse: 0, force_polling: true, opt_in: ['ann'], opt_out: ['bob']},
  log: {level: 'debug', format: 'json'},
};
const isSection = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The lines of a block; those that `choose` gives another value for are places. */
function* block(tree, choose, path = []) {
  for (const [key, value] of Object.entries(tree)) {
    const here = [...path, key];
    const indent = '  '.repeat(path.length);
    const chosen = choose(here, value);
    const whole = (put) => here.reduceRight((inner, name, i) => ({...(here[i - 1] === 'tls' && scalars.server.tls), [name]: inner}), put); // neither of the two files alone
    if (chosen !== undefined) yield {text: `${indent}${key}: ${JSON.stringify(chosen)}`, alone: whole(chosen)};
    else if (isSection(value)) {
      yield {text: `${indent}${key}:`, alone: whole(null)};
      yield* block(value, choose, here);
    } else yield {text: `${indent}${key}: ${JSON.stringify(value)}`, alone: whole(value)};
  }
}

test('an odd value is refused by both or by neither', () => {
  let refused = 0;
  const tryThese = (choose) => {
    const outcome = differences('', [...block(scalars, choose)]);
    assert.deepEqual(outcome.different, []);
    refused += outcome.refused;
  };
  tryThese(() => undefined);
  assert.equal(refused, 0);
  for (const each of odd) {
    // Of a missing file the bridge tells where its section begins.
    tryThese((path, value) => (isSection(value) || (each === '' && path[1] === 'tls') ? undefined : each));
    if (isSection(each)) continue; // an object is a section with an unknown key
    tryThese((path) => (path.length === 1 ? each : undefined));
    tryThese((path, value) => (path.length === 2 && isSection(value) ? each : undefined));
  }
  assert.ok(refused > 200, `${refused} were refused`);
});

function* variations(value) {
  if (value === null || typeof value !== 'object') return;
  const put = (key, each) => Object.assign(Array.isArray(value) ? [...value] : {...value}, {[key]: each});
  if (isSection(value)) yield {...value, unheard_of: 1};
  for (const key of Object.keys(value)) {
    if (isSection(value)) {
      const {[key]: gone, ...rest} = value;
      yield rest;
    }
    for (const each of [null, ...odd]) yield put(key, each);
    for (const inner of variations(value[key])) yield put(key, inner);
  }
}

const rooms = {query: 'select 1', watch: ['public.members']};
const where = {owner_id: '$claims.sub', total: {gte: 100, in: [1, null]}, or: [{a: {is: null}}, {not: {b: {contains: {x: [1]}}}}]};
const lists = {
  'rules of tables': {
    before: `sets: {rooms: ${JSON.stringify(rooms)}}\ntables:`, of: [{roles: ['customer', 7], where, columns: ['id', 'status']}],
    text: (rule, i) => `  public.t${i}: [${JSON.stringify(rule)}]`, alone: (rule) => ({tables: {'public.t': [rule]}}),
  },
  'rules of channels': {
    before: `sets: {rooms: ${JSON.stringify(rooms)}}\nchannels:`, of: [{roles: ['member'], where: {channel: {in: '$sets.rooms'}}}],
    text: (rule, i) => `  c${i}: [${JSON.stringify(rule)}]`, alone: (rule) => ({channels: {c: [rule]}}),
  },
  sets: {
    before: 'sets:', of: [{query: 'select 1', params: ['$claims.sub', 7], watch: ['public.members']}],
    text: (set, i) => `  s${i}: ${JSON.stringify(set)}`, alone: (set) => ({sets: {s: set}}),
  },
  keys: {
    before: 'auth:\n  jwt:', of: [{algorithm: 'HS256', secret, issuer: 'i', audience: 'a', roles_claim: 'r'}, {algorithm: 'ES256', public_key: 'a.pem'}, {jwks: 'keys.json'}],
    text: (key) => `  - ${JSON.stringify(key)}`, alone: (key) => ({auth: {jwt: [key]}}),
  },
  expectations: {
    before: 'expectations:', of: [
      {user: {sub: '7'}, table: 'public.orders', row: {id: 1}, sees: ['id']},
      {user: {sub: '7'}, sets: {rooms: ['a']}, table: 'public.orders', change: {old: {id: 1}, new: {id: 1}}, gets: 'nothing', sees: 'row'},
      {channel: 'room:1', sees: 'nothing'},
    ],
    text: (each) => `  - ${JSON.stringify(each)}`, alone: (each) => ({expectations: [each]}),
  },
};

for (const [what, {before, of, text, alone}] of Object.entries(lists)) {
  test(`${what}: an odd value is refused by both or by neither`, () => {
    const tried = of.flatMap((each) => [each, ...variations(each)]);
    const {different, refused} = differences(before, tried.map((each, i) => ({text: text(each, i), alone: alone(each)})));
    assert.deepEqual(different, []);
    assert.ok(refused > 20, `${refused} of ${tried.length} were refused`);
  });
}
