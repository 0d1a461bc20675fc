// A walk through everything that a bridge can be asked and told: each frame, event and answer is held against the contracts
// (support/witness.mjs), and at the end everything in the contracts must have been seen.
import assert from 'node:assert/strict';
import test, {after} from 'node:test';
import {Bridge, Database, adminToken, token, until} from './support/bridge.mjs';
import {definition, documents, part, problems, program, resolve} from './support/contracts.mjs';
import {Conversation, Stream, ask, begin, call, checkAnswer, hold, seen, send} from './support/witness.mjs';

const setup = `
create table orders (id int primary key, owner text, status text, note text, secret text);
create table notes (id int primary key, body text);
create table members (owner text, room text, primary key (owner, room));
create table chats (id int primary key, room text);
update rowcast.settings set max_row = 10000;
select rowcast.watch(name, notify => true) from unnest('{orders,notes,members,chats}'::regclass[]) name;
insert into orders select i, 'ann', 'open', 'n' || i, 's' from generate_series(1, 5) i;
insert into members values ('ann', 'tea'), ('ann', 'cake');
insert into chats values (1, 'tea'), (2, 'cake'), (3, 'beer');`;

const rules = {
  tables: {
    'public.orders': [{roles: ['user'], where: {owner: '$claims.sub'}, columns: ['id', 'owner', 'status', 'note']}, {roles: ['auditor']}],
    'public.notes': [{}],
    'public.chats': [{roles: ['user'], where: {room: {in: '$sets.rooms'}}}],
  },
  channels: {'room:*': [{}], legacy: [{}], staff: [{roles: ['auditor']}]},
  sets: {rooms: {query: 'select room from members where owner = $1', params: ['$claims.sub'], watch: ['public.members']}},
};
const settings = {
  ...rules,
  database: {poll_interval: '100ms', notify_channels: ['legacy']},
  server: {origins: ['https://app.example'], heartbeat: '5s', limits: {messages_per_second: 100000, sessions_per_user: 1000}},
};

const database = await Database.create({after}, setup);
const bridge = await Bridge.start({after}, database.url, settings);
// With narrow limits, and of another database.
const other = await Database.create({after}, setup);
const strict = await Bridge.start({after}, other.url, {
  ...rules,
  database: {poll_interval: '100ms', rows: {concurrent: 1, queue: 0, timeout: '3s', limit: 3}},
  server: {
    heartbeat: '5s', origins: ['https://app.example'],
    limits: {sessions_per_user: 2, subscriptions_per_session: 2, message_size: '1KB', messages_per_second: 20},
  },
  auth: {anonymous: false, grace: '0s'},
});
// Without a database, and without the keys of a set.
const alone = await Bridge.start({after}, 'postgresql://127.0.0.1:1/nowhere', {ready: false, ...rules, auth: {jwt: [{jwks: 'http://127.0.0.1:1/keys'}]}});

const ann = token('ann');
const orders = (more = {}) => ({type: 'subscribe', id: 'o', table: 'public.orders', ...more});
const notes = (more = {}) => ({type: 'subscribe', id: 'n', table: 'public.notes', ...more});
const page = {origin: 'https://app.example'};
const query = (parameters) => new URLSearchParams(parameters).toString();

let lastNote = 0;
const addNote = () => database.execute(`insert into notes values (${++lastNote}, 'x')`);

/** The next event that matches, of a conversation. */
async function event(talk, matches) {
  const {events} = await talk.next('changes', ({events}) => events.some(matches));
  return events.find(matches);
}

/** The cursor after everything that is committed. */
async function cursorNow(at, target, options = {}) {
  return (await ask(at, `/v1/changes?${target}`, options)).value.cursor;
}

test('a subscription, from its rows over every kind of change to its end', async () => {
  const talk = await Conversation.open(bridge, {token: ann});
  await talk.next('authenticated', ({expires}) => expires > 0);
  talk.say(orders({events: ['INSERT', 'UPDATE', 'DELETE'], where: {status: {in: ['open', 'paid']}}, columns: ['id', 'status', 'note'], old: true, snapshot: true}));
  await talk.next('subscribed', ({status}) => status === 'live');
  await talk.next('rows', ({rows, more}) => rows.length === 5 && !more);
  await database.execute(`insert into orders values (10, 'ann', 'open', 'x', 's')`);
  assert.ok((await event(talk, ({op}) => op === 'INSERT')).row);
  await database.execute(`update orders set status = 'paid' where id = 10`);
  assert.deepEqual((await event(talk, ({op}) => op === 'UPDATE')).old, {status: 'open'});
  await database.execute(`update orders set status = 'gone' where id = 10`);
  await event(talk, ({op, cause}) => op === 'DELETE' && cause === 'UPDATE');
  await database.execute(`update orders set status = 'open' where id = 10`);
  await event(talk, ({op, cause}) => op === 'INSERT' && cause === 'UPDATE');
  await database.execute(`delete from orders where id = 10`);
  assert.ok((await event(talk, ({cause}) => cause === 'DELETE')).old);
  talk.say({type: 'ping', id: 7});
  await talk.next('pong', ({id}) => id === 7);
  talk.say({type: 'ping'});
  await talk.next('pong', ({id}) => id === undefined);
  talk.say({type: 'unsubscribe', id: 'o'});
  await talk.next('unsubscribed');
  await talk.close();
});

test('a table that is emptied, and rows that are too large for the log', async () => {
  const talk = await Conversation.open(bridge);
  talk.say(notes({old: true}));
  await talk.next('subscribed');
  await addNote();
  await event(talk, ({op}) => op === 'INSERT');
  await database.execute('truncate notes');
  await event(talk, ({op}) => op === 'TRUNCATE');
  const large = `(select string_agg(md5(i::text), '') from generate_series(1, 1000) i)`;
  for (const [op, sql] of [['INSERT', `insert into notes values (900, ${large})`], ['UPDATE', `update notes set body = body || 'x' where id = 900`], ['DELETE', 'delete from notes where id = 900']]) {
    await database.execute(sql);
    assert.equal((await event(talk, (each) => each.op === op && each.key.id === 900)).truncated, true, op);
  }
  // Where the key does not tell whose it is, the rows must be read again.
  const hers = await Conversation.open(bridge, {token: ann});
  hers.say(orders());
  await hers.next('subscribed');
  await database.execute(`insert into orders values (900, 'ann', 'open', ${large}, 's'); delete from orders where id = 900`);
  await hers.next('resync', ({reason}) => reason === 'row_too_large');
  await hers.close();
  await talk.close();
});

test('messages of channels, kept and not kept', async () => {
  const talk = await Conversation.open(bridge);
  talk.say({type: 'subscribe', id: 'r', channel: 'room:1'});
  talk.say({type: 'subscribe', id: 'l', channel: 'legacy'});
  await talk.next('subscribed', ({id}) => id === 'l');
  await database.execute(`select rowcast.publish('room:1', 'typing', '{"user": 7}')`);
  await event(talk, ({channel}) => channel === 'room:1');
  await database.execute(`notify legacy, 'hello'`);
  await event(talk, ({durable}) => durable === false);
  await talk.close();
});

test('a subscription is resumed, and catches up on its own until it is live', async () => {
  const cursor = await cursorNow(bridge, 'table=public.notes');
  await addNote();
  const talk = await Conversation.open(bridge);
  talk.say(notes({after: cursor}));
  await talk.next('subscribed', ({status}) => status === 'resumed');
  await talk.next('changes', ({id, events}) => id === 'n' && events.length > 0);
  await talk.next('changes', ({live}) => live === true);
  // Transactions of others move the cursor on, where nobody sees them.
  await database.execute(`insert into orders values (11, 'bob', 'open', '', ''); delete from orders where id = 11`);
  await talk.next('cursor');
  await talk.close();
});

test('a cursor that is of no use is answered with the reason, on every transport', async () => {
  const mine = await cursorNow(bridge, 'table=public.orders', {token: ann});
  const foreign = await cursorNow(strict, 'table=public.notes', {token: ann});
  const expect = async (reason, status, cursor, options = {}) => {
    const table = options.table ?? 'public.notes';
    const talk = await Conversation.open(bridge, options);
    talk.say({type: 'subscribe', id: 'x', table, after: cursor});
    assert.equal((await talk.next('subscribed')).reason, reason);
    await talk.close();
    const stream = await Stream.open(bridge, query({table, after: cursor}), options);
    assert.equal((await stream.next('reset')).data.reason, reason);
    stream.close();
    const {value} = await ask(bridge, `/v1/changes?${query({table, after: cursor})}`, options);
    assert.deepEqual([value.status, value.code], [status, reason]);
  };
  await expect('cursor_malformed', 400, 'nonsense');
  await expect('permissions_changed', 410, mine, {table: 'public.orders', token: token('ann', {roles: ['auditor']})});
  await expect('cursor_foreign', 410, foreign.split('.')[0]);
  const old = (await cursorNow(bridge, 'table=public.notes'));
  await addNote();
  await bridge.stop();
  await until(async () => {
    await database.execute(`select rowcast.expire('0')`);
    return await database.execute('select count(*) from rowcast.change_log') === '0';
  }, () => 'the log is not empty');
  await bridge.start();
  await expect('cursor_expired', 410, old);
});

test('subscriptions end where what one may see is something else', async () => {
  const talk = await Conversation.open(bridge, {token: ann});
  const chats = {type: 'subscribe', id: 'c', table: 'public.chats', snapshot: true};
  talk.say(chats);
  await talk.next('rows', ({rows}) => rows.length === 2);
  const stream = await Stream.open(bridge, query({table: 'public.chats'}), {token: ann});
  await stream.next('cursor');
  const several = await Stream.open(bridge, query([['sub', 'c:public.chats'], ['sub', 'n:public.notes']]), {token: ann});
  await several.next('cursor');
  const after = await cursorNow(bridge, 'table=public.chats', {token: ann});
  const waiting = ask(bridge, `/v1/changes?${query({table: 'public.chats', after, wait: 60})}`, {token: ann});
  await database.execute(`delete from members where room = 'cake'`);
  assert.equal((await talk.next('resync')).reason, 'permissions_changed');
  assert.equal((await stream.next('resync')).data.id, undefined);
  assert.equal((await several.next('resync')).data.id, 'c');
  await stream.ended;
  assert.equal((await waiting).value.resync[0].reason, 'permissions_changed');
  several.close();
  talk.say(chats);
  await talk.next('rows', ({rows}) => rows.length === 1);
  await talk.close();
});

test('the life of a token', async () => {
  const talk = await Conversation.open(strict);
  talk.say({type: 'auth', token: token('ann', {expires: 20})});
  await talk.next('authenticated');
  await talk.next('expiring');
  talk.say({type: 'auth', token: token('bob')});
  await talk.next('error', ({code}) => code === 'subject_changed');
  talk.say({type: 'auth', token: token('ann', {expires: 2})});
  await talk.next('error', ({code}) => code === 'token_expired');
  await talk.ended(4401);

  const stream = await Stream.open(strict, query({table: 'public.notes'}), {token: token('cid', {expires: 3})});
  assert.equal((await stream.next('error')).data.code, 'token_expired');
  await stream.ended;
  for (const [given, code] of [[{}, 'token_missing'], [{token: 'nonsense'}, 'token_invalid'], [{token: token('ann', {expires: -5})}, 'token_expired']]) {
    for (const path of ['/v1/session', '/v1/sse?table=public.notes', '/v1/changes?table=public.notes', '/v1/rows?table=public.notes']) {
      assert.equal((await ask(strict, path, {...given, headers: page})).value.code, code, path);
    }
    if (given.token) assert.equal((await ask(strict, '/v1/ws', {...given, headers: {connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13'}})).value.code, code);
  }
  const nobody = await Conversation.open(strict);
  nobody.say(notes());
  await nobody.next('error', ({code}) => code === 'token_missing');
  await nobody.ended(4401);
  const wrong = await Conversation.open(strict);
  wrong.say({type: 'auth', token: 'nonsense'});
  await wrong.next('error', ({code}) => code === 'token_invalid');
  await wrong.ended(4401);
});

test('revocations, and what is no revocation', async () => {
  const hers = token('dora', {jti: 'j1', iat: Math.floor(Date.now() / 1000) - 10});
  const talk = await Conversation.open(strict, {token: hers});
  const stream = await Stream.open(strict, query({table: 'public.notes'}), {token: hers});
  await stream.next('cursor');
  assert.ok((await call(strict, 'revoke', {user: 'dora', for: '15m', reason: 'a test'})).value.until);
  await talk.next('error', ({code}) => code === 'token_revoked');
  await talk.ended(4401);
  assert.equal((await stream.next('error')).data.code, 'token_revoked');
  assert.equal((await ask(strict, '/v1/session', {token: hers})).value.code, 'token_revoked');
  assert.ok((await call(strict, 'revoke', {token: 'j2'})).value.token);
  assert.ok((await call(strict, 'revoke', {session: 'nobodys'})).value.session);
});

test('errors that leave a WebSocket alive', async () => {
  const talk = await Conversation.open(bridge, {token: ann});
  const refused = async (message, code, valid = true) => {
    talk.say(message, {valid});
    assert.equal((await talk.next('error')).code, code, JSON.stringify(message));
  };
  await refused({type: 'subcribe', id: 'x'}, 'unknown_type', false);
  await refused(orders({wehre: {}}), 'unknown_member', false);
  await refused(orders({id: ''}), 'bad_request', false);
  await refused(orders({where: {status: {eqq: 1}}}), 'bad_filter', false);
  await refused(orders({where: {id: 'seven'}}), 'bad_filter');
  await refused(orders({table: 'public.nothing'}), 'unknown_table');
  await refused(orders({columns: ['id', 'nothing']}), 'unknown_column');
  await refused(orders({columns: ['secret']}), 'forbidden_column');
  await refused({type: 'subscribe', id: 's', channel: 'staff'}, 'forbidden');
  await refused({type: 'unsubscribe', id: 'nothing'}, 'unknown_subscription');
  talk.say(notes());
  await talk.next('subscribed');
  await refused(notes(), 'duplicate_subscription');
  await talk.close();

  const narrow = await Conversation.open(strict, {token: token('eve')});
  for (const id of ['1', '2', '3']) narrow.say(notes({id}));
  await narrow.next('error', ({code}) => code === 'too_many_subscriptions');
  await narrow.close();
});

test('errors that end a WebSocket', async () => {
  const open = () => Conversation.open(strict, {token: token('fay')});
  const text = await open();
  text.socket.send('hello');
  await text.next('error', ({code}) => code === 'malformed');
  await text.ended(4400);
  const binary = await open();
  binary.socket.send(Buffer.from('{}'));
  await binary.ended(4400);
  const large = await open();
  large.socket.send(JSON.stringify({type: 'ping', id: 'x'.repeat(2000)}));
  await large.ended(1009);
  const many = await open();
  for (let i = 0; i < 100; ++i) many.say({type: 'ping', id: i});
  await many.next('error', ({code}) => code === 'too_many_messages');
  await many.ended(4429);
  const silent = await Conversation.open(strict, {token: token('gil'), autoPong: false});
  await silent.next('error', ({code}) => code === 'no_heartbeat');
  await silent.ended(4408);
});

test('as many sessions as there may be', async () => {
  const hers = {token: token('hal')};
  const [first, second] = [await Conversation.open(strict, hers), await Conversation.open(strict, hers)];
  const third = new Conversation(strict, hers);
  await third.next('error', ({code}) => code === 'too_many_sessions');
  await third.ended(4429);
  for (const path of ['/v1/sse', '/v1/changes', '/v1/rows']) {
    assert.equal((await ask(strict, `${path}?table=public.notes`, {...hers, headers: page})).value.code, 'too_many_sessions', path);
  }
  await first.close();
  await second.close();
});

test('event streams', async () => {
  const stream = await Stream.open(bridge, query({table: 'public.notes', snapshot: true}), {headers: page});
  assert.deepEqual((await stream.next('reset')).data, {reason: 'snapshot'});
  const {id} = await stream.next('rows', ({cursor}) => cursor);
  await addNote();
  assert.equal((await stream.next('change')).data.subs, undefined);
  stream.close();
  const resumed = await Stream.open(bridge, query({table: 'public.notes'}), {headers: {'last-event-id': id}});
  assert.equal((await resumed.next('cursor')).data.status, 'resumed');
  await resumed.next('change');
  resumed.close();
  const several = await Stream.open(bridge, query([['sub', 'n:public.notes?snapshot=true'], ['sub', 'r:?channel=room:1']]));
  assert.equal((await several.next('rows')).data.id, 'n');
  await addNote();
  assert.deepEqual((await several.next('change')).data.subs, ['n']);
  several.close();
  const lost = await Stream.open(bridge, query({table: 'public.notes', snapshot: true, after: 'nonsense'}));
  assert.equal((await lost.next('reset')).data.cursor, undefined);
  lost.close();
});

test('polling, and rows', async () => {
  const after = await cursorNow(bridge, 'table=public.notes', {headers: page});
  await addNote();
  await addNote();
  const poll = async (more) => (await ask(bridge, `/v1/changes?${query({after, ...more})}`)).value;
  await until(async () => (await poll({table: 'public.notes'})).events.length === 2, () => 'two notes');
  assert.equal((await poll({table: 'public.notes', limit: 1})).more, true);
  assert.deepEqual((await poll({sub: 'n:public.notes'})).events[0].subs, ['n']);
  await ask(bridge, '/v1/changes?table=public.notes', {method: 'HEAD'});
  await ask(bridge, '/v1/rows?table=public.notes', {method: 'HEAD'});
  await ask(bridge, '/v1/sse?table=public.notes', {method: 'HEAD'});
  assert.equal((await ask(bridge, '/v1/rows?table=public.notes&limit=1', {headers: page})).value.more, true);
  const {value} = await ask(bridge, `/v1/rows?${query([['sub', 'n:public.notes'], ['sub', 'o:public.orders']])}`, {token: ann});
  assert.deepEqual(Object.keys(value.rows), ['n', 'o']);
});

test('what HTTP refuses', async () => {
  const refuse = async (path, status, code, options) => {
    const {value} = await ask(bridge, path, options);
    assert.deepEqual([value.status, value.code], [status, code], path);
  };
  for (const path of ['/v1/sse', '/v1/changes', '/v1/rows']) {
    const of = (parameters) => `${path}?${query(parameters)}`;
    const hers = {token: ann, headers: page};
    await refuse(path, 400, 'bad_request', hers);
    await refuse(of({table: 'public.notes', old: 'yes', limit: 0}), 400, 'bad_request', hers);
    await refuse(of({table: 'public.orders', status: 'eqq.1'}), 400, 'bad_filter', hers);
    await refuse(of({table: 'public.orders', columns: 'nothing'}), 400, 'unknown_column', hers);
    await refuse(of({table: 'public.orders'}), 403, 'forbidden', {headers: page});
    await refuse(of({table: 'public.orders', columns: 'secret'}), 403, 'forbidden_column', hers);
    await refuse(of({table: 'public.nothing'}), 404, 'unknown_table', hers);
    await refuse(of([['sub', 'n:public.notes'], ['sub', 'n:public.notes']]), 409, 'duplicate_subscription', hers);
    await refuse(of({table: 'public.notes'}), 403, 'forbidden', {headers: {origin: 'https://evil.example'}});
    await refuse(of({table: 'x'.repeat(9000)}), 413, 'message_too_large');
    assert.equal((await ask(strict, of([['sub', '1:public.notes'], ['sub', '2:public.notes'], ['sub', '3:public.notes']]), hers)).value.code, 'too_many_subscriptions');
  }
  await refuse('/v1/ws', 400, 'bad_request');
  await refuse('/v1/ws', 403, 'forbidden', {headers: {origin: 'https://evil.example'}});
  await refuse(`/v1/ws?${'x'.repeat(9000)}`, 413, 'message_too_large');
  await refuse('/v1/session?access_token=a&access_token=b', 400, 'bad_request');
  await refuse('/v1/session', 403, 'forbidden', {headers: {origin: 'https://evil.example'}});
  await refuse(`/v1/session?${'x'.repeat(9000)}`, 413, 'message_too_large');
  await refuse('/metrics', 404, 'not_found');
  await refuse('/v1/session', 405, 'method_not_allowed', {method: 'POST'});
  await refuse('/v1/session', 501, 'unsupported', {method: 'PROPFIND'});
  assert.equal((await send(bridge, 'GARBAGE\r\n\r\n')).code, 'malformed');
  assert.equal((await send(bridge, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20000)}\r\n\r\n`)).code, 'message_too_large');
});

test('who one is, how the bridge is, and what pages may ask', async () => {
  assert.deepEqual((await ask(bridge, '/v1/session', {token: ann, headers: page})).value.roles, ['user']);
  assert.equal((await ask(bridge, '/v1/session')).value.expires, undefined);
  for (const path of ['/healthz', '/readyz', '/v1/session']) await ask(bridge, path, {method: 'HEAD'});
  for (const path of ['/healthz', '/readyz']) {
    await ask(bridge, path);
    await ask(bridge, path, {admin: true});
    await ask(bridge, path, {admin: true, method: 'HEAD'});
    await ask(bridge, path, {admin: true, headers: page});
  }
  for (const path of program.resources) {
    await ask(bridge, path, {method: 'OPTIONS', headers: {...page, 'access-control-request-method': 'GET'}});
    assert.equal((await ask(bridge, path, {method: 'OPTIONS', headers: {origin: 'https://evil.example'}})).status, 403, path);
  }
});

test('explanations', async () => {
  const about = async (question) => (await call(bridge, 'explain', question)).value;
  const claims = {sub: 'ann', roles: ['user']};
  assert.equal((await about({table: 'public.orders', key: {id: 1}, claims})).verdict, 'sent');
  assert.equal((await about({table: 'public.orders', key: {id: 1}, claims, where: {or: [{status: 'gone'}, {not: {note: 'n1'}}]}, columns: ['id']})).verdict, 'nothing');
  assert.equal((await about({table: 'public.orders', key: {id: 1}, claims, where: {secret: 's'}})).verdict, 'refused');
  assert.ok(await about({table: 'public.orders', row: {id: 1, owner: 'ann'}, token: ann}));
  assert.ok((await about({table: 'public.orders', change: {old: {id: 1, owner: 'bob'}, new: {id: 1, owner: 'ann'}}, claims})).before);
  assert.equal((await about({table: 'public.chats', row: {id: 1, room: 'tea'}, claims})).verdict, 'sent');
  assert.ok(await about({table: 'public.chats', row: {id: 1, room: 'tea'}, claims, sets: {rooms: ['a', null, 1, true]}}));
  assert.equal((await about({channel: 'room:1'})).verdict, 'sent');
  assert.equal((await about({channel: 'staff'})).verdict, 'refused');
  await database.execute(`update orders set note = 'changed' where id = 2; select rowcast.publish('room:1', 'x', '1')`);
  const ids = (await database.execute('select id from rowcast.change_log order by id desc limit 2')).split('\n');
  for (const id of ids) assert.ok(await about({change: id, claims}));
  const refuse = async (question, status, code, options) => {
    const {value} = await call(bridge, 'explain', question, options);
    assert.deepEqual([value.status, value.code], [status, code], JSON.stringify(question));
  };
  await refuse({table: 'public.nothing', key: {id: 1}}, 404, 'unknown_table');
  await refuse({table: 'public.orders', key: {id: 12345}}, 404, 'not_found');
  await refuse({tabel: 'x'}, 400, 'unknown_member');
});

test('operators: metrics, reloads, and who is no operator', async () => {
  assert.match((await ask(bridge, '/metrics', {admin: true})).value, /^rowcast_build_info/m);
  await ask(bridge, '/metrics', {admin: true, method: 'HEAD'});
  assert.equal((await ask(bridge, '/metrics', {admin: true, headers: page})).status, 403);
  assert.equal((await ask(bridge, '/metrics', {admin: true, method: 'PUT'})).status, 405);
  assert.equal((await ask(bridge, '/admin/nothing', {admin: true})).status, 404);
  const answers = {explain: {channel: 'room:1'}, reload: {}, revoke: {session: 'x'}, disconnect: {session: 'x'}, watch: {table: 'orders'}, unwatch: {table: 'nothing'}, rollout: {}};
  for (const [name, body] of Object.entries(answers)) {
    const refuse = async (status, code, given, options) => {
      const {value} = await call(bridge, name, given, options);
      assert.deepEqual([value.status, value.code], [status, code], name);
    };
    await refuse(401, 'token_missing', body, {token: null});
    await refuse(401, 'token_invalid', body, {token: 'another'});
    await refuse(403, 'forbidden', body, {headers: page});
    await refuse(400, 'bad_request', body, {headers: {'content-type': 'text/plain'}});
    await refuse(400, 'malformed', '{');
    await refuse(413, 'message_too_large', `{"reason": "${'x'.repeat(70000)}"}`);
  }
  assert.equal((await call(bridge, 'reload', {now: true})).value.code, 'unknown_member');
  bridge.configure({...bridge.settings, tables: {orders: []}});
  const {status, value} = await call(bridge, 'reload', {});
  assert.equal(status, 422);
  assert.ok(value.problems[0].line);
  bridge.configure({...bridge.settings, database: {...bridge.settings.database, poll_interval: '200ms'}});
  assert.deepEqual((await call(bridge, 'reload', {})).value.needs_restart, ['database.poll_interval']);
  bridge.configure(bridge.settings);
  assert.deepEqual((await call(bridge, 'reload', '')).value.needs_restart, []);
  await until(async () => (await Promise.all(Array.from({length: 25}, () => call(bridge, 'reload', {})))).some(({value}) => value.code === 'unavailable'), () => 'there is a turn for everybody');
});

test('who is pushed to, and who is sent to polling', async () => {
  const standing = (options) => ask(bridge, '/admin/rollout', {admin: true, token: adminToken, ...options});
  assert.equal((await standing()).value.as_configured, true);
  assert.equal((await standing({token: 'another'})).status, 401);
  assert.equal((await standing({headers: page})).status, 403);
  assert.equal((await ask(bridge, '/admin/rollout?user=7', {admin: true, token: adminToken})).status, 400);

  const talk = await Conversation.open(bridge);
  talk.say(notes());
  await talk.next('subscribed');
  assert.equal((await call(bridge, 'rollout', {force_polling: true, opt_out: ['ann']})).value.as_configured, false);
  await talk.next('goodbye', ({reason}) => reason === 'not_offered');
  await talk.ended(1001);
  const refused = await Conversation.open(bridge);
  refused.say(notes());
  await refused.next('error', ({code}) => code === 'not_offered');
  await refused.ended(4406);
  assert.equal((await ask(bridge, '/v1/sse?table=public.notes', {headers: page})).value.code, 'not_offered');
  assert.deepEqual((await ask(bridge, '/v1/session')).value.transports, ['poll']);
  await until(async () => (await Promise.all(Array.from({length: 25}, () => call(bridge, 'rollout', {})))).some(({value}) => value.code === 'unavailable'), () => 'there is a turn for everybody');
  assert.equal((await call(bridge, 'reload', {})).status, 200);
  assert.equal((await standing()).value.force_polling, false);
});

test('operators look at everything, and change what is captured', async () => {
  const see = async (what, options) => (await ask(bridge, `/admin/${what}`, {admin: true, token: adminToken, ...options})).value;
  await ask(bridge, '/admin', {admin: true});
  await ask(bridge, '/admin', {admin: true, headers: page});
  const talk = await Conversation.open(bridge, {token: ann});
  talk.say(orders());
  talk.say({type: 'subscribe', id: 'r', channel: 'room:1'});
  await talk.next('subscribed', ({id}) => id === 'r');
  await Conversation.open(bridge);
  const one = await see('sessions?search=ann&transport=websocket&limit=1');
  assert.deepEqual([one.matching, one.sessions[0].user, one.sessions[0].targets], [1, 'ann', ['public.orders', 'room:1']]);
  const first = await see('sessions?limit=1');
  assert.deepEqual([first.matching, first.sessions[0].user], [2, undefined]);
  assert.equal((await see(`sessions?${query({limit: 1, after: first.next})}`)).sessions[0].user, 'ann');
  assert.equal((await see('sessions?catching_up=true')).matching, 0);
  const {traffic, ready} = await see('bridge');
  assert.ok(ready && traffic['public.orders'].updates > 0);
  const {tables, may_watch: may, bridges} = await see('database');
  assert.ok(may && bridges.length > 0 && tables.some(({table}) => table === 'public.orders'));
  assert.ok((await see('rules')).tables.find(({table}) => table === 'public.orders').rules[0].where.owner);
  assert.ok((await see('health')).some(({severity}) => severity === 'ok'));
  for (const name of ['bridge', 'database', 'health', 'rules', 'sessions']) {
    for (const [status, code, options] of [[401, 'token_missing', {token: null}], [401, 'token_invalid', {token: 'x'}], [403, 'forbidden', {headers: page}]]) {
      const value = await see(name, options);
      assert.deepEqual([value.status, value.code], [status, code], name);
    }
    assert.equal((await see(`${name}?x=1`)).code, 'unknown_member', name);
    await see(name, {method: 'HEAD'});
  }
  for (const wrong of ['limit=0', 'limit=1001', 'limit=x', 'transport=carrier', 'catching_up=no']) assert.equal((await see(`sessions?${wrong}`)).code, 'bad_request', wrong);
  await until(async () => (await Promise.all(Array.from({length: 25}, () => see('health')))).some(({code}) => code === 'unavailable'), () => 'there is a turn for everybody');

  assert.equal((await call(bridge, 'disconnect', {user: 'ann'})).value.sessions, 1);
  await talk.next('goodbye');
  await talk.ended(1001);
  await database.execute('create table later (id int primary key, secret text)');
  assert.equal((await call(bridge, 'watch', {table: 'later', except: ['secret'], notify: true})).value.table, 'public.later');
  assert.equal((await call(bridge, 'unwatch', {table: 'later'})).value.table, 'later');
  assert.equal((await call(bridge, 'unwatch', {table: 'later'})).value.code, 'unknown_table');
  assert.equal((await call(bridge, 'watch', {table: 'nothing_such'})).status, 400);
});

test('more connections than operators have', async () => {
  const taken = await Promise.all(Array.from({length: 32}, () => hold(bridge.adminPort)));
  const answer = await hold(bridge.adminPort);
  // Whatever was to be asked.
  const answered = await answer.end();
  for (const [path, item] of Object.entries(documents['operators.openapi.yaml'].paths)) {
    for (const method of Object.keys(item)) assert.equal(checkAnswer('operators.openapi.yaml', method, path, answered).code, 'too_many_sessions');
  }
  for (const each of taken) each.close();
});

test('rows that cannot be had', async () => {
  const hers = {token: token('ann'), headers: page};
  const code = async (target) => (await ask(strict, `/v1/rows?${query({table: target})}`, hers)).value.code;
  assert.equal(await code('public.orders'), 'too_many_rows');
  const release = await other.hold('lock table notes in access exclusive mode');
  // Of two, one is read, and waits for the lock.
  await until(async () => {
    const both = await Promise.all([code('public.notes'), code('public.notes')]);
    return both.includes('too_many_readings') && both.includes('rows_timeout');
  }, () => 'two are read at a time');

  const talk = await Conversation.open(strict, {token: token('ivy')});
  talk.say(notes({snapshot: true}));
  await talk.next('error', ({code}) => code === 'rows_timeout');
  await talk.close();

  await until(async () => {
    const reading = code('public.notes');
    await until(async () => await other.execute(`select count(*) from pg_locks where not granted and relation = 'notes'::regclass`) !== '0', () => 'no reading waits');
    strict.configure({...strict.settings, tables: {...rules.tables, 'public.notes': [{roles: ['auditor']}]}});
    await call(strict, 'reload', {});
    strict.configure(strict.settings);
    await call(strict, 'reload', {});
    return await reading === 'permissions_changed';
  }, () => 'no reading ends with the rights to it');
  await release();
});

test('a bridge without a database', async () => {
  assert.ok((await ask(alone, '/readyz')).value.reasons.length > 0);
  assert.ok((await ask(alone, '/readyz', {admin: true})).value.reasons.length > 0);
  for (const path of ['/v1/sse', '/v1/changes', '/v1/rows']) assert.equal((await ask(alone, `${path}?table=public.notes`)).value.code, 'unavailable', path);
  const talk = new Conversation(alone);
  assert.equal((await talk.next('welcome')).cursor, undefined);
  talk.say(notes());
  await talk.next('error', ({code}) => code === 'unavailable');
  await talk.close();
  // Signed by a key that may be in the set.
  const strangers = `${Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url')}.${ann.split('.')[1]}.AAAA`;
  assert.equal((await ask(alone, '/v1/session', {token: strangers})).value.code, 'unavailable');
  assert.equal((await ask(alone, '/v1/ws', {token: strangers, headers: {connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-version': '13'}})).value.code, 'unavailable');
  assert.equal((await ask(alone, '/admin/database', {admin: true, token: adminToken})).value.code, 'unavailable');
  for (const [name, body] of Object.entries({explain: {channel: 'room:1'}, revoke: {user: 'x'}, watch: {table: 'x'}, unwatch: {table: 'x'}})) assert.ok((await call(alone, name, body)).status >= 500, name);
});

// What the bridge says where the form of a message is wrong.
const formal = new Set(['malformed', 'unknown_type', 'unknown_member', 'bad_request', 'bad_filter']);

// Of a table that is not there, so that nothing is asked of the filter but its form.
const nothing = (more) => orders({table: 'public.nothing', ...more});
const messages = [
  {type: 'auth', token: ann},
  nothing({events: ['INSERT', 'INSERT'], where: {}, columns: ['id'], old: false, snapshot: false, after: 'x'}),
  nothing({where: {status: 'open', note: null, and: [{id: 1}], or: [{id: {gt: 1, gte: '1', lt: 9, lte: 9, neq: 5}}], not: {status: {like: 'o%', nin: ['a', null]}}}}),
  nothing({where: {status: {eq: 'a', in: ['$x', 'b'], ilike: '$5', is: 'not null'}, note: {is: null, contains: {a: [null, 1, {b: 'c'}]}}}}),
  {type: 'subscribe', id: 'r', channel: 'room:1', after: 'x'},
  {type: 'unsubscribe', id: 'o'},
  {type: 'ping', id: 1.5},
  {type: 'ping', id: 'x'},
];
const odd = [null, true, 7, '', 'x', 'x'.repeat(600), [], ['INSERT'], ['x', 'x'], [null], {}, {x: 1}, {eq: {x: 1}}, {eq: 'x', x: 1}, '$claims.sub', {eq: '$sets.x'}, {in: '$claims.x'}, {is: 'nothing'}, {contains: null}];

function* variations(value) {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield {...value, unheard_of: 1};
  for (const key of Object.keys(value)) {
    const copy = () => (Array.isArray(value) ? [...value] : {...value});
    if (!Array.isArray(value)) {
      const without = copy();
      delete without[key];
      yield without;
    }
    for (const each of odd) yield Object.assign(copy(), {[key]: each});
    for (const inner of variations(value[key])) yield Object.assign(copy(), {[key]: inner});
  }
}

test('a message is refused for its form by the bridge where the schema refuses it, and nowhere else', async () => {
  const talk = await Conversation.open(bridge, {token: ann});
  let number = 0;
  const different = [];
  const counts = {taken: 0, refused: 0};
  for (const message of messages.flatMap((each) => [each, ...variations(each)])) {
    const wrong = problems(definition('client_message'), message);
    if (message.type === 'auth' && !wrong && message.token !== ann) continue; // ends the connection
    talk.say(message, {valid: !wrong});
    if (message.type === 'subscribe' && !wrong) talk.say({type: 'unsubscribe', id: message.id});
    const mark = `mark ${++number}`;
    talk.say({type: 'ping', id: mark});
    const said = await talk.upTo('pong', ({id}) => id === mark);
    const refusal = said.find(({type, code}) => type === 'error' && formal.has(code));
    ++counts[refusal ? 'refused' : 'taken'];
    if (Boolean(refusal) !== Boolean(wrong)) different.push({message: JSON.stringify(message).slice(0, 300), bridge: refusal?.message ?? 'takes it', schema: wrong || 'takes it'});
  }
  await talk.close();
  assert.deepEqual(different, []);
  assert.ok(counts.taken > 100 && counts.refused > 300, JSON.stringify(counts));
});

/** How a parameter's value is read, by its schema. */
function deserialize({type, items}, text) {
  if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return {true: true, false: false}[text] ?? text;
  return type === 'array' && items ? text.split(',') : text;
}

test('a parameter is refused by the bridge where the document refuses it', async () => {
  const {paths} = documents['clients.openapi.yaml'];
  const values = {
    limit: ['1', '10000', '0', '10001', '-1', 'x', '1.5'], wait: ['0', '61', '-1', 'x'], old: ['true', 'yes'], snapshot: ['true', 'yes'],
    events: ['INSERT', 'INSERT,DELETE', 'TRUNCATE', 'INSERT,', 'insert'], columns: ['id', 'id,body', 'id,', 'id,id'], after: ['x'],
  };
  const clients = 'clients.openapi.yaml';
  for (const path of ['/v1/sse', '/v1/changes', '/v1/rows']) {
    // Of each parameter where it stands in the document.
    const places = paths[path].get.parameters.map(({$ref}, i) => ($ref ? clients + $ref : `${clients}#/paths/${path.replaceAll('/', '~1')}/get/parameters/${i}`));
    const described = Object.fromEntries(places.map((where) => [part(where).name, where]));
    for (const [name, tried] of Object.entries(values)) {
      for (const value of tried) {
        const where = described[name] && `${described[name]}/schema`;
        const fine = where && problems(where, deserialize(resolve(clients, part(where)).value, value)) === '';
        const parameters = query({table: 'public.notes', [name]: value});
        if (path === '/v1/sse' && fine) {
          (await Stream.open(bridge, parameters)).close();
          continue;
        }
        const {status, value: told} = await ask(bridge, `${path}?${parameters}`);
        assert.equal(status === 400 && told.code !== 'cursor_malformed', !fine, `${path}?${parameters}: ${JSON.stringify(told)}`);
      }
    }
  }
});

test("a call is refused for its form where the schema refuses its body", async () => {
  const bodies = {
    disconnect: [{user: 'u1'}, {session: 's1'}],
    revoke: [{user: 'u1', for: '15m', reason: 'x'}, {token: 't1'}, {session: 's1'}],
    explain: [
      {table: 'public.orders', row: {id: 1, owner: 'ann'}, claims: {sub: 'ann'}, sets: {rooms: ['a']}, where: {status: 'open'}, columns: ['id']},
      {table: 'public.orders', change: {old: {id: 1}, new: {id: 1}}}, {channel: 'room:1', token: ann},
    ],
    rollout: [{websocket: 20, sse: 0, force_polling: true, opt_in: ['ann', 'bob'], opt_out: []}, {}],
  };
  const different = [];
  let refused = 0;
  for (const [name, each] of Object.entries(bodies)) {
    for (const body of each) assert.equal((await call(bridge, name, body)).status, 200, JSON.stringify(body));
    for (const body of each.flatMap((one) => [...variations(one)])) {
      const wrong = problems(definition(`${name}_request`), body);
      const {status, value} = await call(bridge, name, body);
      refused += status === 400 ? 1 : 0;
      // Whether what is asked about fits the table is beyond the schema.
      if (wrong ? status !== 400 : status === 400 && name !== 'explain') different.push({body: JSON.stringify(body).slice(0, 300), bridge: value.detail ?? status, schema: wrong || 'takes it'});
    }
  }
  assert.deepEqual(different, []);
  assert.ok(refused > 100);
  assert.equal((await call(bridge, 'reload', {})).status, 200); // pushed to, as before
});

test('more connections a second than an address may make', async () => {
  const few = await Bridge.start({after}, 'postgresql://127.0.0.1:1/nowhere', {ready: false, ...rules, server: {limits: {connects_per_second_per_address: 10}}});
  const all = await Promise.all(Array.from({length: 300}, () => hold(few.port)));
  // Whatever was to be asked.
  const answered = await Promise.any(all.map((each) => each.end()));
  assert.equal(checkAnswer('clients.openapi.yaml', 'get', '/v1/changes', answered).code, 'too_many_connects');
  for (const each of all) each.close();
});

test('a bridge that stops says so', async () => {
  const talk = await Conversation.open(bridge);
  talk.say(notes());
  await talk.next('subscribed');
  await database.execute(`insert into notes select i, repeat(md5(i::text), 100) from generate_series(100000, 108000) i`);
  await event(talk, ({row}) => row.id === 108000);
  const stream = await Stream.open(bridge, query({table: 'public.notes'}));
  await stream.next('cursor');
  const after = await cursorNow(bridge, 'table=public.notes');
  const waiting = ask(bridge, `/v1/changes?${query({table: 'public.notes', after, wait: 60})}`);
  const large = await begin(bridge, '/v1/rows?table=public.notes');
  bridge.terminate();
  await talk.next('goodbye', ({reason}) => reason === 'shutdown');
  await talk.ended(1001);
  await stream.ended;
  assert.equal((await waiting).value.more, false);
  assert.equal((await large.end()).value.error.code, 'shutdown');
});

// Bugs, what it takes all file descriptors of the process to see, and shards that do not get round to what is asked of them.
const rare = [/^operators (get \/admin\/sessions|post \/admin\/disconnect) 503$/, /^code internal$/, /^close 1011$/, / 500$/, /^clients get \/(healthz|readyz|v1\/session|v1\/ws) 429$/];

test('everything in the contracts was seen', () => {
  const {channels} = documents['asyncapi.yaml'];
  const said = documents['messages.schema.json'].$defs.server_message.oneOf.map((each) => `websocket ${resolve('messages.schema.json', each).value.properties.type.const}`);
  const events = Object.keys(channels.events.messages).map((each) => `events ${each}`);
  const resets = documents['messages.schema.json'].$defs;
  const reasons = [...resets.reset_reason.enum.map((each) => `subscribed ${each}`), ...resets.stream_reset.properties.reason.enum.map((each) => `reset ${each}`)];
  const codes = resets.error_code.enum.map((each) => `code ${each}`);
  const closes = channels.websocket.description.match(/\d{4}/g).map((each) => `close ${each}`);
  const answers = ['clients', 'operators'].flatMap((name) => Object.entries(documents[`${name}.openapi.yaml`].paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, {responses}]) => Object.keys(responses).map((status) => `${name} ${method} ${path} ${status}`))));
  const missing = [...said, ...events, ...reasons, ...codes, ...closes, ...answers].filter((each) => !seen.has(each) && !rare.some((pattern) => pattern.test(each)));
  assert.deepEqual(missing, []);
  assert.deepEqual([...seen].filter((each) => rare.some((pattern) => pattern.test(each))), []);
});
