// Looks at /metrics and at the bridge once a second, while somebody looks at the page, and keeps the last five minutes.
import {get, isSignedIn, metrics} from './api.js';
import {parse, quantiles, rate, sum} from './metrics.js';

export const transports = ['websocket', 'sse', 'poll'];
export const names = {websocket: 'WebSocket', sse: 'SSE', poll: 'Polling'};
export const span = 300;

const interval = 1000;
const latencyWindow = 10; // seconds: quantiles of one are noise

const looks = [];
const listeners = new Set();
let paused = false;
let running = false;
let timer;

/** The points so far, oldest first: {at, changes, events: {websocket, ...}, ...}; `at` in milliseconds. */
export const points = [];
export let bridge;
export let problem;

export const isPaused = () => paused;

export function pause(on) {
  paused = on;
  if (!on) run();
  tell();
}

export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const tell = () => listeners.forEach((each) => each());
const by = (of) => Object.fromEntries(transports.map((each) => [each, of(each)]));

function measure() {
  const now = looks.at(-1);
  const before = looks.at(-2);
  if (!before) return;
  const since = looks.find(({at}) => now.at - at <= latencyWindow * 1000) ?? before;
  const latency = latencyIn(now.metrics);
  const of = (name) => (transport) => rate(before, now, name, {transport});
  const delivery = by((transport) => quantiles(since, now, latency, [0.5, 0.95, 0.99], {transport}));
  points.push({
    at: now.at,
    changes: rate(before, now, 'rowcast_changes_read_total'),
    events: by(of('rowcast_events_sent_total')),
    bytes: by(of('rowcast_sent_bytes_total')),
    opened: by(of('rowcast_sessions_opened_total')),
    closed: by(of('rowcast_sessions_closed_total')),
    refused: by(of('rowcast_requests_refused_total')),
    sessions: by((transport) => sum(now.metrics, 'rowcast_sessions', {transport})),
    latency: quantiles(since, now, latency, [0.5, 0.95, 0.99]),
    latencyBy: delivery,
    read: quantiles(since, now, 'rowcast_batch_read_seconds', [0.5, 0.95, 0.99]),
    catchingUp: sum(now.metrics, 'rowcast_sessions_catching_up'),
    slowest: sum(now.metrics, 'rowcast_slowest_cursor_age_seconds'),
    memory: sum(now.metrics, 'process_resident_memory_bytes'),
  });
  const oldest = now.at - span * 1000;
  while (points[0]?.at < oldest) points.shift();
  while (looks[0]?.at < now.at - (latencyWindow + 2) * 1000) looks.shift();
}

// The histogram of the time from a commit to the clients' sockets: the one that is kept by transport.
const latencyIn = (metrics) => [...metrics].find(([name, samples]) => name.endsWith('_bucket') && samples.some(({labels}) => labels.transport))?.[0].slice(0, -'_bucket'.length);

export const hasLatency = () => looks.length > 0 && latencyIn(looks.at(-1).metrics) !== undefined;

async function look() {
  const [text, told] = await Promise.all([metrics(), get('bridge')]);
  looks.push({at: Date.now(), metrics: parse(text)});
  bridge = told;
  measure();
}

const mayRun = () => isSignedIn() && !paused && !document.hidden;

export async function run() {
  if (running || !mayRun()) return;
  running = true;
  clearTimeout(timer);
  try {
    await look();
    problem = undefined;
  } catch (error) {
    problem = error.status === 401 ? undefined : error.message;
  }
  running = false;
  tell();
  timer = setTimeout(run, interval);
}

/** Looks now, and again and again while somebody looks at the page. */
export function repeat(look, pause) {
  let over = false;
  let timer;
  const now = async () => {
    clearTimeout(timer);
    await look();
    clearTimeout(timer); // of another look that began meanwhile
    if (!over) timer = setTimeout(next, pause);
  };
  const next = () => (mayRun() ? now() : (timer = setTimeout(next, pause)));
  now();
  return {now, stop: () => ((over = true), clearTimeout(timer))};
}

/** Forgets what it has seen: somebody else may sign in. */
export function forget() {
  looks.length = points.length = 0;
  bridge = problem = undefined;
}

document.addEventListener('visibilitychange', run);
