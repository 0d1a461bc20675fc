// Signs in, shows the section that the address names, and keeps it up to date.
import {get, isSignedIn, signIn, signOut} from './api.js';
import {h, say} from './dom.js';
import * as format from './format.js';
import {health} from './health.js';
import * as live from './live.js';
import {overview} from './overview.js';
import {rollout} from './rollout.js';
import {rules} from './rules.js';
import {sessions} from './sessions.js';
import {tables} from './tables.js';
import './theme.js';

const sections = {
  overview: {title: 'Overview', open: overview},
  sessions: {title: 'Sessions', open: sessions},
  tables: {title: 'Tables', open: tables},
  rules: {title: 'Rules', open: rules},
  rollout: {title: 'Rollout', open: rollout},
  health: {title: 'Health', open: health},
};
const at = (id) => document.getElementById(id);
const view = at('view');
let shown;

const links = Object.entries(sections).map(([name, {title}]) => h('a', {href: `#${name}`}, title));
at('nav').append(...links);

function show() {
  const name = location.hash.slice(1) in sections ? location.hash.slice(1) : 'overview';
  shown?.remove();
  shown = sections[name].open();
  view.replaceChildren(shown.element);
  for (const link of links) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${sections[name].title} · rowcast`;
  shown.update();
}

function state() {
  const pill = at('state');
  const {bridge, problem} = live;
  const [mood, text] = problem ? ['error', `no answer: ${problem}`] : !bridge ? ['', 'looking …'] : live.isPaused() ? ['', 'paused'] : bridge.ready ? ['ok', 'ready'] : ['warning', `not ready: ${bridge.reasons.join('; ')}`];
  pill.className = `pill ${mood}`;
  say(pill, text);
  pill.title = text;
  if (bridge) say(at('bridge'), `rowcast ${bridge.version} · ${bridge.host}, process ${bridge.process}, up ${format.duration(bridge.up_s)} · PostgreSQL at ${bridge.database}`);
}

async function enter() {
  await live.run();
  document.body.dataset.signed = 'in';
  show();
}

function leave(why = '') {
  signOut();
  live.forget();
  shown?.remove();
  shown = undefined;
  view.replaceChildren();
  document.body.dataset.signed = 'out';
  document.title = 'rowcast · operations';
  say(at('bridge'), '');
  say(at('refusal'), why);
  at('token').focus();
}

at('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = at('token');
  say(at('refusal'), '');
  signIn(field.value);
  try {
    await get('bridge');
    field.value = '';
    await enter();
    at('main').focus({preventScroll: true});
  } catch (error) {
    leave(error.status === 401 ? 'This is not the admin token.' : error.message);
  }
});
at('leave').addEventListener('click', () => leave());
at('pause').addEventListener('click', ({currentTarget}) => {
  live.pause(!live.isPaused());
  currentTarget.setAttribute('aria-pressed', String(live.isPaused()));
  say(currentTarget, live.isPaused() ? 'Go on' : 'Pause');
});
// The token was changed meanwhile.
document.addEventListener('refused', () => document.body.dataset.signed === 'in' && leave('The admin token is another one now. Sign in again.'));
addEventListener('hashchange', () => {
  if (!isSignedIn()) return;
  show();
  at('main').focus({preventScroll: true});
  scrollTo(0, 0);
});
live.listen(() => {
  state();
  if (isSignedIn()) shown?.update();
});
if (isSignedIn()) enter();
else at('token').focus();
