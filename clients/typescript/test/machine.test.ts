import assert from 'node:assert/strict';
import test from 'node:test';
import {
  backoff, initial, publicState, step, transports,
  type Action, type Event, type State, type Surroundings, type Transport,
} from '../src/machine.js';
import {RowcastError} from '../src/problem.js';

const times = {backoff: 500, backoffMost: 30_000, stable: 10_000, probe: 15_000, probeMost: 300_000};
const at = (now: number, random = 1): Surroundings => ({now, random: () => random, times});

const ended = (code: string, wait?: number): Event => ({type: 'ended', why: new RowcastError(code, code, {wait})});

const events: {readonly [Type in Event['type']]: Event & {readonly type: Type}} = {
  wanted: {type: 'wanted'},
  unwanted: {type: 'unwanted'},
  prepared: {type: 'prepared', ladder: transports},
  opened: {type: 'opened'},
  ended: ended('unreachable') as Event & {type: 'ended'},
  alarm: {type: 'alarm'},
  probed: {type: 'probed', works: true},
  expiring: {type: 'expiring'},
  online: {type: 'online'},
  offline: {type: 'offline'},
  visible: {type: 'visible'},
  hidden: {type: 'hidden'},
  close: {type: 'close'},
};

const base = {ladder: transports, rung: 0, failures: 0, strikes: 0, probes: 0};

const states: {readonly [Name in State['name']]: State & {readonly name: Name}} = {
  idle: {...base, name: 'idle'},
  preparing: {...base, name: 'preparing'},
  opening: {...base, name: 'opening'},
  live: {...base, rung: 1, name: 'live', since: 0},
  polling: {...base, rung: 2, name: 'polling', since: 0, probing: 0},
  waiting: {...base, name: 'waiting', told: false},
  reauthenticating: {...base, name: 'reauthenticating'},
  closed: {...base, name: 'closed'},
};

const word = (action: Action): string => (typeof action === 'string' ? action : Object.entries(action).flat().join(' '));

const told = ({state, actions}: ReturnType<typeof step>) => [state.name, ...actions.map(word)].join(', ');

// Every state, every event: what it becomes and what is done. '.' is: nothing. TypeScript wants it complete.
const table: {readonly [Name in State['name']]: {readonly [Type in Event['type']]: string}} = {
  idle: {
    wanted: 'preparing, prepare', unwanted: '.', prepared: '.', opened: '.', ended: '.', alarm: '.', probed: '.', expiring: '.',
    online: '.', offline: '.', visible: '.', hidden: '.', close: 'closed, cancel alarm, drop',
  },
  preparing: {
    wanted: '.', unwanted: 'idle, cancel alarm, drop', prepared: 'opening, cancel alarm, drop, open websocket', opened: '.',
    ended: 'waiting, drop, alarm 500', alarm: '.', probed: '.', expiring: '.',
    online: '.', offline: 'waiting, drop, alarm 30000', visible: '.', hidden: '.', close: 'closed, cancel alarm, drop',
  },
  reauthenticating: {
    wanted: '.', unwanted: 'idle, cancel alarm, drop', prepared: 'opening, cancel alarm, drop, open websocket', opened: '.',
    ended: 'waiting, drop, alarm 500', alarm: '.', probed: '.', expiring: '.',
    online: '.', offline: 'waiting, drop, alarm 30000', visible: '.', hidden: '.', close: 'closed, cancel alarm, drop',
  },
  opening: {
    wanted: '.', unwanted: 'idle, cancel alarm, drop', prepared: '.', opened: 'live',
    ended: 'opening, cancel alarm, drop, open sse', alarm: '.', probed: '.', expiring: '.',
    online: '.', offline: 'waiting, drop, alarm 30000', visible: '.', hidden: '.', close: 'closed, cancel alarm, drop',
  },
  live: {
    wanted: '.', unwanted: 'idle, cancel alarm, drop', prepared: 'live, probe websocket', opened: '.',
    ended: 'waiting, drop, alarm 500', alarm: 'live, probe websocket', probed: '.', expiring: 'live, refresh',
    online: 'live, poke', offline: 'waiting, drop, alarm 30000', visible: 'live, poke', hidden: '.', close: 'closed, cancel alarm, drop',
  },
  polling: {
    wanted: '.', unwanted: 'idle, cancel alarm, drop', prepared: 'polling, probe websocket', opened: '.',
    ended: 'waiting, drop, alarm 500', alarm: '.', probed: 'opening, cancel alarm, drop, open websocket', expiring: 'polling, refresh',
    online: 'polling, poke', offline: 'waiting, drop, alarm 30000', visible: 'polling, poke', hidden: '.', close: 'closed, cancel alarm, drop',
  },
  waiting: {
    wanted: '.', unwanted: 'idle, cancel alarm, drop', prepared: '.', opened: '.', ended: '.',
    alarm: 'preparing, prepare', probed: '.', expiring: '.',
    online: 'preparing, cancel alarm, prepare', offline: 'waiting, drop, alarm 30000', visible: 'preparing, cancel alarm, prepare', hidden: '.',
    close: 'closed, cancel alarm, drop',
  },
  closed: {
    wanted: '.', unwanted: '.', prepared: '.', opened: '.', ended: '.', alarm: '.', probed: '.', expiring: '.',
    online: '.', offline: '.', visible: '.', hidden: '.', close: '.',
  },
};

const stateNames = Object.keys(table) as State['name'][];
const eventTypes = Object.keys(events) as Event['type'][];

for (const name of stateNames) {
  for (const type of eventTypes) {
    test(`${name}, ${type}: ${table[name][type]}`, () => {
      // A long life, so that its end is no strike.
      const out = step(states[name], events[type], at(60_000));
      if (table[name][type] === '.') {
        assert.equal(out.state, states[name], 'the same object: nothing has changed');
        assert.deepEqual(out.actions, []);
      } else {
        assert.equal(told(out), table[name][type]);
      }
    });
  }
}

// Leads from the initial state through events, and keeps what was done.
function run(...given: readonly (Event | [now: number, Event])[]) {
  let state: State = initial;
  const done: string[] = [];
  for (const each of given) {
    const [now, event] = Array.isArray(each) ? each : [60_000, each];
    const out = step(state, event, at(now));
    state = out.state;
    done.push(...out.actions.map(word));
  }
  return {state, done};
}

const {wanted, prepared, opened, alarm} = events;
const down: Event = events.ended;
const last = <T>(list: readonly T[]) => list[list.length - 1];

test('the ladder is walked down without a pause until something works', () => {
  const {state, done} = run(wanted, prepared, down, down, down, opened);
  assert.deepEqual(done.filter((each) => each.startsWith('open')), transports.map((each) => `open ${each}`));
  assert.equal(publicState(state), 'polling');
});

test('where nothing works the next round begins at the top, after a pause that doubles and has an end', () => {
  let state = initial;
  const pauses: number[] = [];
  const go = (event: Event) => {
    const out = step(state, event, at(0));
    state = out.state;
    for (const action of out.actions) if (typeof action === 'object' && 'alarm' in action) pauses.push(action.alarm);
    return out;
  };
  go(wanted);
  for (let round = 0; round < 12; ++round) {
    assert.equal(word(last(go(prepared).actions)!), 'open websocket');
    for (let each = 0; each < 4; ++each) go(down);
    assert.equal(publicState(state), 'offline');
    go(alarm);
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000, 30000]);
});

test('a pause is any part of its step, so that clients do not come back together', () => {
  assert.equal(backoff(3, at(0, 0)), 0);
  assert.equal(backoff(3, at(0, 0.5)), 2000);
  assert.equal(backoff(3, at(0, 1)), 4000);
  assert.equal(backoff(5000, at(0, 1)), 30_000);
});

test('it never gives up: after a thousand failures it still has an alarm set', () => {
  let state = initial;
  const go = (event: Event) => {
    const out = step(state, event, at(0));
    state = out.state;
    return out.actions;
  };
  go(wanted);
  for (let round = 0; round < 1000; ++round) {
    const actions = go(down);
    assert.equal(state.name, 'waiting');
    assert.equal(actions.filter((action) => word(action).startsWith('alarm')).length, 1);
    go(alarm);
    assert.equal(state.name, 'preparing');
  }
});

test('when the server says how long, that is how long, and neither a look nor the network shortens it', () => {
  const {state, done} = run(wanted, prepared, opened, ended('shutdown', 1830));
  assert.equal(last(done), 'alarm 1830');
  assert.equal(step(state, events.visible, at(0)).state, state);
  assert.equal(step(state, events.online, at(0)).state, state);
  assert.equal(told(step(state, alarm, at(0))), 'preparing, prepare');
});

test('a transport that is told to wait is not given up for the next one', () => {
  const {done} = run(wanted, prepared, ended('too_many_sessions', 5000));
  assert.deepEqual(done.slice(-2), ['drop', 'alarm 5000']);
});

test('one that is lost soon after it opened, three times in a row, is given up for the next one', () => {
  const soon: [number, Event] = [61_000, down];
  const {state, done} = run(wanted, prepared, opened, soon, alarm, prepared, opened, soon, alarm, prepared, opened, soon);
  assert.equal(last(done), 'open sse');
  assert.equal(state.strikes, 0);
});

test('one that falls silent three times in a row is given up too, however long it lived', () => {
  const late: [number, Event] = [900_000, ended('silent')];
  assert.equal(last(run(wanted, prepared, opened, late, alarm, prepared, opened, late, alarm, prepared, opened, late).done), 'open sse');
});

test('long lives do not count against a transport', () => {
  const late: [number, Event] = [900_000, down];
  const {done, state} = run(wanted, prepared, opened, late, alarm, prepared, opened, late, alarm, prepared, opened, late, alarm, prepared);
  assert.equal(last(done), 'open websocket');
  assert.equal(state.strikes, 0);
});

test('the last transport is never given up', () => {
  const only: Event = {type: 'prepared', ladder: ['poll']};
  let {state} = run(wanted, only, opened);
  for (let each = 0; each < 10; ++each) {
    for (const event of [down, alarm, only, opened]) state = step(state, event, at(60_000)).state;
    assert.equal(publicState(state), 'polling');
  }
});

test('from a lower rung the better ones are probed from the best down, then again after a longer while', () => {
  const no: Event = {type: 'probed', works: false};
  const {state, done} = run(wanted, prepared, down, down, opened, alarm, no, no);
  assert.deepEqual(done.slice(-4), ['alarm 15000', 'probe websocket', 'probe sse', 'alarm 30000']);
  assert.equal(state.probes, 1);
  assert.equal(publicState(state), 'polling');
});

test('on the way up nobody is told that it is connecting, and a move that fails goes down the ladder again', () => {
  const {state} = run(wanted, prepared, down, opened, alarm, events.probed);
  assert.equal(state.name, 'opening');
  assert.equal(publicState(state), 'live');
  const fallen = step(state, down, at(0));
  assert.equal(publicState(fallen.state), 'connecting');
  assert.equal(word(last(fallen.actions)!), 'open sse');
});

test('on the best transport there is no alarm and nothing to probe', () => {
  const {done} = run(wanted, prepared, opened);
  assert.deepEqual(done, ['prepare', 'cancel alarm', 'drop', 'open websocket']);
});

test('on the best of what is offered it asks from time to time whether there is more, and then probes that', () => {
  const offered = (...ladder: readonly Transport[]): Event => ({type: 'prepared', ladder});
  const polls = offered('longpoll', 'poll');
  const {done, state} = run(wanted, polls, opened, alarm, polls, alarm, polls, alarm, prepared, events.probed);
  assert.deepEqual(done.slice(3), [
    'open longpoll', 'alarm 15000', 'ask', 'alarm 30000', 'ask', 'alarm 60000', 'ask', 'probe websocket', 'cancel alarm', 'drop', 'open websocket',
  ]);
  assert.equal(publicState(state), 'polling');
});

test('what is not offered any more is left for what is', () => {
  const {done} = run(wanted, prepared, opened, ended('shutdown', 700), alarm, {type: 'prepared', ladder: ['longpoll', 'poll']}, opened);
  assert.deepEqual(done.filter((each) => /^(open|alarm)/.test(each)), ['open websocket', 'alarm 700', 'open longpoll', 'alarm 15000']);
});

test('a refused token leads to another one, and a refused fresh one to a pause', () => {
  const refused = ended('token_expired');
  const {state, done} = run(wanted, prepared, opened, refused);
  assert.equal(publicState(state), 'reauthenticating');
  assert.deepEqual(done.slice(-3), ['cancel alarm', 'drop', 'prepare']);
  assert.equal(told(step(state, refused, at(0))), 'waiting, drop, alarm 500');
});

test('what will never be allowed is not tried again', () => {
  const {state} = run(wanted, prepared, opened, ended('forbidden'));
  assert.equal(state.name, 'closed');
  assert.equal(state.name === 'closed' && state.why?.code, 'forbidden');
});

test('what the server offers is kept to, and a change of it begins at its top', () => {
  const two: readonly Transport[] = ['sse', 'poll'];
  const {done} = run(wanted, {type: 'prepared', ladder: two}, down, opened, down, alarm, {type: 'prepared', ladder: ['longpoll', 'poll']});
  assert.deepEqual(done.filter((each) => each.startsWith('open')), ['open sse', 'open poll', 'open longpoll']);
});

test('after a drop the same transport is tried again first', () => {
  const {done} = run(wanted, prepared, down, opened, [900_000, down], alarm, prepared);
  assert.equal(last(done), 'open sse');
});

test('back on the network it begins at the top', () => {
  const {done} = run(wanted, prepared, down, opened, events.offline, events.online, prepared);
  assert.equal(last(done), 'open websocket');
});

test('a connection that has moved to another tab is opened again at once, and nobody is told that it was away', () => {
  const {state, actions} = step(states.live, ended('moved', 0), at(0));
  assert.deepEqual([publicState(state), ...actions.map(word)], ['live', 'cancel alarm', 'drop', 'open sse']);
  assert.deepEqual(step(states.opening, ended('moved', 0), at(0)).actions.map(word), ['drop', 'alarm 0']);
});
