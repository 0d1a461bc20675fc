// Who is connected, and what can be done about it.
import {get, post} from './api.js';
import {ask, h, keep, say, table, toast} from './dom.js';
import * as format from './format.js';
import {names, repeat} from './live.js';

const pageSize = 100;
const interval = 3000;
const pauseAfterKey = 250;

async function disconnect({session, user}) {
  try {
    const {sessions} = await post('disconnect', {session});
    toast(sessions ? `${user ?? 'The session'} was told to come back` : 'It has left already');
  } catch (error) {
    toast(error.message, 'bad');
  }
}

const lengths = [['the longest that a token lives', ''], ['15 minutes', '15m'], ['an hour', '1h'], ['a day', '1d'], ['a week', '7d']];

async function revoke(of) {
  const choice = (value, text, note, checked) => h('label', {class: 'choice'}, h('input', {type: 'radio', name: 'what', value, checked}), h('span', {}, text, h('small', {}, note)));
  const done = await ask({
    title: 'Revoke',
    action: 'Revoke',
    danger: true,
    content: [
      h('fieldset', {}, h('legend', {}, 'Whom?'),
        of.user && choice('user', `The user ${of.user}`, 'all their sessions end, at every bridge; tokens that were issued until now are refused', true),
        of.transport !== 'poll' && choice('session', `The session ${of.session}`, 'it alone ends; its user may connect again', !of.user)),
      h('label', {}, 'For how long? ', h('select', {name: 'for'}, lengths.map(([text, value]) => h('option', {value}, text)))),
      h('label', {}, 'Why? (for the log) ', h('input', {name: 'reason', maxlength: '200'})),
    ],
    act: (given) => {
      const what = given.get('what');
      const body = {[what]: of[what]};
      for (const name of ['for', 'reason']) if (given.get(name)) body[name] = given.get(name);
      return post('revoke', body);
    },
  });
  if (done) toast(`Revoked until ${new Date(done.until).toLocaleString()}`);
}

function cells(of) {
  const more = of.subscriptions - of.targets.length;
  return {
    user: of.user ?? 'anonymous',
    roles: of.roles.join(', '),
    address: of.address,
    age: format.duration(of.age_s),
    subscriptions: format.count(of.subscriptions),
    targets: of.targets.join('  ') + (more > 0 && of.targets.length === 8 ? ' …' : ''),
    state: !of.catching_up ? 'live' : of.behind ? `${format.plural(of.behind, 'transaction')} behind` : 'catching up',
  };
}

export function sessions() {
  const search = {search: '', transport: '', catching_up: false};
  let trail = ['']; // the pages so far, by what they come after
  let asked = 0;
  const rows = h('tbody');
  const status = h('p', {class: 'hint', role: 'status'}, 'Looking …');
  const back = h('button', {type: 'button', class: 'quiet', disabled: true, onclick: () => (trail.pop(), look())}, 'Back');
  const on = h('button', {type: 'button', class: 'quiet', disabled: true, onclick: () => (trail.push(next), look())}, 'More');
  let next;

  const make = (of) => {
    const at = Object.fromEntries(['user', 'roles', 'address', 'age', 'subscriptions', 'targets', 'state'].map((name) => [name, h('span')]));
    const made = h('tr', {},
      h('th', {scope: 'row'}, at.user, h('small', {}, at.roles)),
      h('td', {class: 'mono'}, of.session),
      h('td', {class: 'mono'}, at.address),
      h('td', {}, h('span', {class: `transport ${of.transport}`}, names[of.transport] ?? of.transport)),
      h('td', {class: 'number'}, at.age),
      h('td', {class: 'number'}, at.subscriptions),
      h('td', {class: 'targets'}, at.targets),
      h('td', {}, at.state),
      h('td', {class: 'does'},
        h('button', {type: 'button', class: 'quiet', 'aria-label': `Disconnect ${of.user ?? 'anonymous'}, session ${of.session}`, onclick: () => disconnect(of).then(look)}, 'Disconnect'),
        h('button', {type: 'button', class: 'quiet danger', 'aria-label': `Revoke ${of.user ?? 'anonymous'}, session ${of.session}`, onclick: () => revoke(of).then(look)}, 'Revoke')));
    made.at = at;
    return made;
  };
  const update = (made, of) => {
    for (const [name, text] of Object.entries(cells(of))) say(made.at[name], text);
    made.at.state.className = of.catching_up ? 'badge warning' : 'badge ok';
    made.at.state.title = of.behind ? 'Transactions of the whole server since the first that it may lack, whether they concern it or not' : '';
  };

  async function refresh() {
    const mine = ++asked;
    try {
      const found = await get('sessions', {...search, after: trail.at(-1), limit: pageSize});
      if (mine !== asked) return;
      next = found.next;
      const first = (trail.length - 1) * pageSize;
      on.disabled = !next;
      back.disabled = trail.length === 1;
      const narrowed = search.search || search.transport || search.catching_up;
      say(status, found.matching === 0 ? (narrowed ? 'No session matches.' : 'Nobody is connected to this bridge.')
        : `${format.plural(found.matching, 'session')}${narrowed ? ' that match' : ''}${found.matching > found.sessions.length ? `; here are ${first + 1} to ${first + found.sessions.length}` : ''}`);
      keep(rows, found.sessions, ({session}) => session, make, update);
    } catch (error) {
      if (mine === asked) say(status, error.message);
    }
  }
  const looking = repeat(refresh, interval);
  const look = looking.now;
  const anew = (changed) => (Object.assign(search, changed), (trail = ['']), look());
  let typing;
  const typed = ({target}) => {
    clearTimeout(typing);
    typing = setTimeout(() => anew({search: target.value.trim()}), pauseAfterKey);
  };

  return {
    element: h('section', {class: 'card', 'aria-labelledby': 'sessions-title'},
      h('header', {class: 'bar-of'}, h('h1', {id: 'sessions-title'}, 'Sessions'), h('p', {class: 'hint'}, 'of this bridge'),
        h('form', {class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault()},
          h('label', {}, h('span', {}, 'User or session'), h('input', {type: 'search', placeholder: 'part of a user’s name', spellcheck: 'false', oninput: typed})),
          h('label', {}, h('span', {}, 'Transport'), h('select', {onchange: ({target}) => anew({transport: target.value})},
            h('option', {value: ''}, 'any'), Object.entries(names).map(([value, text]) => h('option', {value}, text)))),
          h('label', {class: 'check'}, h('input', {type: 'checkbox', onchange: ({target}) => anew({catching_up: target.checked})}), 'only those catching up'))),
      table('Sessions of this bridge', ['User', 'Session', 'From', 'Transport', {text: 'For', number: true}, {text: 'Subscriptions', number: true}, 'To', 'State', 'Actions'], rows, {class: 'list'}),
      h('footer', {class: 'pages'}, status, h('div', {}, back, on))),
    update() {},
    remove: () => (clearTimeout(typing), looking.stop()),
  };
}
