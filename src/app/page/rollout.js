// Who is pushed to, and who polls: at run time, until the next reload or restart.
import {get, post} from './api.js';
import {ask, h, say, toast} from './dom.js';
import * as format from './format.js';

const users = (text) => text.split('\n').map((each) => each.trim()).filter(Boolean);

export function rollout() {
  const note = h('p', {class: 'hint', role: 'status'}, 'Looking …');
  const form = h('form', {class: 'rollout', onsubmit: save});
  let now;

  const slider = (name, text) => {
    const out = h('output', {}, `${now[name]} %`);
    return h('label', {class: 'slide'}, h('span', {}, text), h('input', {type: 'range', name, min: '0', max: '100', value: String(now[name]), oninput: ({target}) => say(out, `${target.value} %`)}), out);
  };
  const list = (name, text, hint) => h('label', {}, text, h('textarea', {name, rows: '3', class: 'mono', spellcheck: 'false', value: now[name].join('\n')}), h('small', {}, hint));

  function show(given) {
    now = given;
    say(note, now.as_configured ? 'As the configuration says.' : 'Not as the configuration says; what it says holds again after the next reload or restart.');
    form.replaceChildren(
      h('fieldset', {}, h('legend', {}, 'Who is offered what'), slider('websocket', 'WebSocket'), slider('sse', 'Server-sent events'), h('p', {class: 'hint'}, 'Of the users, each by a stable hash of their name; whoever is offered neither polls.')),
      h('fieldset', {}, h('legend', {}, 'Users by name, one a line'), list('opt_in', 'Always', 'whatever the percentages are'), list('opt_out', 'Never', 'also where they stand beside')),
      h('div', {class: 'actions'}, h('button', {type: 'submit', class: 'primary'}, 'Apply'),
        h('button', {type: 'button', class: now.force_polling ? 'primary' : 'danger', onclick: force}, now.force_polling ? 'End forced polling' : 'Force polling …')));
  }

  async function save(event) {
    event.preventDefault();
    const given = new FormData(form);
    try {
      show(await post('rollout', {websocket: Number(given.get('websocket')), sse: Number(given.get('sse')), opt_in: users(given.get('opt_in')), opt_out: users(given.get('opt_out'))}));
      toast('The rollout is changed, at this bridge');
    } catch (error) {
      toast(error.message, 'bad');
    }
  }

  async function force() {
    const wanted = !now.force_polling;
    const done = await ask({
      title: wanted ? 'Force polling?' : 'End forced polling?',
      action: wanted ? 'Force polling' : 'End it',
      danger: wanted,
      content: h('p', {}, wanted ? 'Everybody at this bridge is sent away from WebSocket and SSE within seconds, and polls from then on. Nothing is lost; there are more requests.' : `WebSocket is offered to ${format.count(now.websocket)} % again, server-sent events to ${format.count(now.sse)} %.`),
      act: () => post('rollout', {force_polling: wanted}),
    });
    if (done) show(done);
  }

  get('rollout').then(show, (error) => say(note, error.message));
  return {element: h('section', {class: 'card', 'aria-labelledby': 'rollout-title'}, h('header', {class: 'bar-of'}, h('h1', {id: 'rollout-title'}, 'Rollout'), note), form), update() {}, remove() {}};
}
