// The life of a connection as a pure function: state + event -> next state + what is to be done. No clock, no network, no
// randomness of its own; `client.ts` carries the actions out and tells what became of them.
import {isSilence, whatNext, type RowcastError} from './problem.js';

/** The transports, best first: the order of falling back. */
export const transports = ['websocket', 'sse', 'longpoll', 'poll'] as const;

/** How changes come: pushed (`websocket`, `sse`), asked for and waited for (`longpoll`), or asked for now and then (`poll`). */
export type Transport = (typeof transports)[number];

export const isPush = (transport: Transport | undefined) => transport === 'websocket' || transport === 'sse';

/** What is known while connections come and go. */
interface Circumstances {
  /** The transports that may be used, best first; never empty. */
  readonly ladder: readonly Transport[];
  /** Which of them is in use, or is tried next. */
  readonly rung: number;
  /** Attempts that led to nothing, since the last one that did. */
  readonly failures: number;
  /** How often in a row the transport of this rung was lost soon after it had opened, or fell silent. */
  readonly strikes: number;
  /** Probes in a row that found nothing better. */
  readonly probes: number;
}

export type State = Circumstances &
  (
    | {readonly name: 'idle'}
    | {readonly name: 'preparing'}
    /** `was`: a better transport is being moved to from one that worked; nobody needs to hear of it. */
    | {readonly name: 'opening'; readonly was?: 'live' | 'polling'}
    | {readonly name: 'live' | 'polling'; readonly since: number; readonly probing?: number}
    /** `told`: the server said how long; only time ends it. */
    | {readonly name: 'waiting'; readonly told: boolean}
    | {readonly name: 'reauthenticating'}
    | {readonly name: 'closed'; readonly why?: RowcastError}
  );

export type Event =
  /** There is something to connect for; there is not any more. */
  | {readonly type: 'wanted'}
  | {readonly type: 'unwanted'}
  /** A token is there, and the server has said what it offers. */
  | {readonly type: 'prepared'; readonly ladder: readonly Transport[]}
  /** The transport has proved itself: something of rowcast's came through it. */
  | {readonly type: 'opened'}
  /** What was being prepared, opened or used has come to its end. */
  | {readonly type: 'ended'; readonly why: RowcastError}
  | {readonly type: 'alarm'}
  | {readonly type: 'probed'; readonly works: boolean}
  /** The token will not last much longer. */
  | {readonly type: 'expiring'}
  | {readonly type: 'online' | 'offline' | 'visible' | 'hidden'}
  | {readonly type: 'close'};

export type Action =
  /** Get a token, ask the server what it offers: `prepared` or `ended`. */
  | 'prepare'
  /** Ask the server what it offers by now, beside the connection in use: `prepared`. */
  | 'ask'
  /** Leave whatever is being prepared, opened, probed or used; nothing is heard of it any more. */
  | 'drop'
  /** Take back the one alarm. */
  | 'cancel alarm'
  /** Get a fresh token and give it to the connection. */
  | 'refresh'
  /** Find out whether the connection is alive, or ask for news at once. */
  | 'poke'
  /** Open a transport with all subscriptions: `opened` or `ended`. */
  | {readonly open: Transport}
  /** See whether a transport would work, beside the one in use: `probed`. */
  | {readonly probe: Transport}
  /** Set the one alarm, for so many milliseconds from now. */
  | {readonly alarm: number};

export interface Times {
  /** The back-off's first and largest step; a wait is a random part of the step (full jitter). */
  readonly backoff: number;
  readonly backoffMost: number;
  /** A connection that lived for less counts against its transport. */
  readonly stable: number;
  /** The first and the longest time between looks for a better transport. */
  readonly probe: number;
  readonly probeMost: number;
}

export interface Surroundings {
  readonly now: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly times: Times;
}

export interface Step {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** So many short lives in a row, and a transport is given up for the next one. */
const strikesOut = 3;

export const initial: State = {name: 'idle', ladder: transports, rung: 0, failures: 0, strikes: 0, probes: 0};

/** A random part of a step that doubles with every failure. */
export function backoff(failures: number, {random, times}: Surroundings): number {
  return Math.round(random() * Math.min(times.backoffMost, times.backoff * 2 ** failures));
}

// So that thousands who fell back together do not look again together.
const untilProbe = (probes: number, {random, times}: Surroundings) =>
  Math.round((0.5 + random() / 2) * Math.min(times.probeMost, times.probe * 2 ** probes));

const known = ({ladder, rung, failures, strikes, probes}: State): Circumstances => ({ladder, rung, failures, strikes, probes});

const stay = (state: State): Step => ({state, actions: []});

/** To a state in which there is no connection, and nothing is waited for. */
const leave = (state: State, to: {readonly name: 'idle'} | {readonly name: 'closed'; readonly why?: RowcastError} | {readonly name: 'reauthenticating'}, ...then: readonly Action[]): Step => ({
  state: {...known(state), ...to},
  actions: ['cancel alarm', 'drop', ...then],
});

const prepare = (state: State, ...before: readonly Action[]): Step => ({
  state: {...known(state), name: 'preparing'},
  actions: [...before, 'prepare'],
});

function open(state: State, change: Partial<Circumstances>, was?: 'live' | 'polling'): Step {
  const next = {...known(state), ...change};
  return {
    state: {...next, name: 'opening', ...(was && {was})},
    actions: ['cancel alarm', 'drop', {open: transportAt(next)}],
  };
}

const wait = (state: State, change: Partial<Circumstances>, time: number, told = false): Step => ({
  state: {...known(state), ...change, name: 'waiting', told},
  actions: ['drop', {alarm: time}],
});

/** The transport in use, or tried next. */
export const transportAt = ({ladder, rung}: Pick<Circumstances, 'ladder' | 'rung'>): Transport => ladder[rung] ?? 'poll';

/** Which state a connection goes to from one in which it has a right to something, whatever that was. */
function end(state: State, why: RowcastError, retry: () => Step): Step {
  const next = whatNext(why);
  if (next === 'never') return leave(state, {name: 'closed', why});
  if (next === 'token') return leave(state, {name: 'reauthenticating'}, 'prepare');
  // A server that says when to come back is there: this is not its transport's fault.
  if (why.wait !== undefined) return wait(state, {failures: state.failures + 1}, why.wait, true);
  return retry();
}

/** The next state, and what to do to get there. */
export function step(state: State, event: Event, around: Surroundings): Step {
  if (state.name === 'closed') return stay(state);
  if (event.type === 'close') return leave(state, {name: 'closed'});
  if (state.name === 'idle') return event.type === 'wanted' ? prepare(state) : stay(state);
  if (event.type === 'unwanted') return leave(state, {name: 'idle'});
  if (event.type === 'offline') return wait(state, {rung: 0, strikes: 0}, around.times.backoffMost);
  switch (state.name) {
    case 'preparing':
    case 'reauthenticating': return prepared(state, event, around);
    case 'opening': return opening(state, event, around);
    case 'live':
    case 'polling': return using(state, event, around);
    case 'waiting': return waiting(state, event);
  }
}

function prepared(state: State & {name: 'preparing' | 'reauthenticating'}, event: Event, around: Surroundings): Step {
  if (event.type === 'prepared') {
    const same = event.ladder.join() === state.ladder.join();
    return open(state, same ? {} : {ladder: event.ladder, rung: 0, strikes: 0, probes: 0});
  }
  if (event.type === 'ended') {
    const later = () => wait(state, {rung: 0, failures: state.failures + 1}, backoff(state.failures, around));
    // The fresh token was no better.
    return state.name === 'reauthenticating' && whatNext(event.why) === 'token' ? later() : end(state, event.why, later);
  }
  return stay(state);
}

function opening(state: State & {name: 'opening'}, event: Event, around: Surroundings): Step {
  if (event.type === 'opened') {
    const probes = state.rung === 0 ? 0 : state.probes;
    return {
      state: {...known(state), failures: 0, probes, name: isPush(transportAt(state)) ? 'live' : 'polling', since: around.now},
      // Beyond the best of what is offered there may be something better, one day.
      actions: transportAt(state) === 'websocket' ? [] : [{alarm: untilProbe(probes, around)}],
    };
  }
  if (event.type === 'ended') {
    return end(state, event.why, () =>
      state.rung + 1 < state.ladder.length
        ? open(state, {rung: state.rung + 1, strikes: 0})
        : wait(state, {rung: 0, strikes: 0, failures: state.failures + 1}, backoff(state.failures, around)));
  }
  return stay(state);
}

function using(state: State & {name: 'live' | 'polling'}, event: Event, around: Surroundings): Step {
  switch (event.type) {
    case 'ended':
      if (event.why.code === 'moved') return open(state, {}, state.name);
      return end(state, event.why, () => {
        const strikes = isSilence(event.why) || around.now - state.since < around.times.stable ? state.strikes + 1 : 0;
        return strikes >= strikesOut && state.rung + 1 < state.ladder.length
          ? open(state, {rung: state.rung + 1, strikes: 0})
          : wait(state, {strikes}, backoff(strikes, around));
      });
    case 'alarm': return state.probing !== undefined ? stay(state) : state.rung > 0 ? probe(state, 0) : {state, actions: ['ask']};
    case 'prepared': {
      // Where what is in use is withdrawn, its end is on the way.
      const next = {...state, ladder: event.ladder, rung: Math.max(event.ladder.indexOf(transportAt(state)), 0)};
      return next.rung > 0 ? probe(next, 0) : nothingBetter(next, around);
    }
    case 'probed': {
      if (state.probing === undefined) return stay(state);
      if (event.works) return open(state, {rung: state.probing, strikes: 0}, state.name);
      if (state.probing + 1 < state.rung) return probe(state, state.probing + 1);
      return nothingBetter(state, around);
    }
    case 'expiring': return {state, actions: ['refresh']};
    case 'visible':
    case 'online': return {state, actions: ['poke']};
    default: return stay(state);
  }
}

// Look again after a longer while.
function nothingBetter({probing, ...rest}: State & {name: 'live' | 'polling'}, around: Surroundings): Step {
  const probes = rest.probes + 1;
  return {state: {...rest, probes}, actions: [{alarm: untilProbe(probes, around)}]};
}

const probe = (state: State & {name: 'live' | 'polling'}, rung: number): Step => ({
  state: {...state, probing: rung},
  actions: [{probe: transportAt({ladder: state.ladder, rung})}],
});

function waiting(state: State & {name: 'waiting'}, event: Event): Step {
  if (event.type === 'alarm') return prepare(state);
  // Somebody is looking, or the network is back: a new beginning.
  if ((event.type === 'online' || event.type === 'visible') && !state.told) {
    return prepare({...state, failures: 0}, 'cancel alarm');
  }
  return stay(state);
}

/** What an application is told. */
export type ConnectionState = 'idle' | 'connecting' | 'live' | 'polling' | 'offline' | 'reauthenticating' | 'closed';

export function publicState(state: State): ConnectionState {
  switch (state.name) {
    case 'preparing': return 'connecting';
    case 'opening': return state.was ?? 'connecting';
    case 'waiting': return 'offline';
    default: return state.name;
  }
}
