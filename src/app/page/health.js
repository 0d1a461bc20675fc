// What `rowcast doctor` finds, and the bridges that this database has.
import {get} from './api.js';
import {command, h, row, say, table} from './dom.js';
import * as format from './format.js';

const order = {error: 0, warning: 1, ok: 2};

export function health() {
  const findings = h('div', {class: 'findings'});
  const fine = h('ul', {class: 'fine'});
  const status = h('p', {class: 'hint', role: 'status'});
  const bridges = h('tbody');
  const server = h('p', {class: 'hint'});
  const button = h('button', {type: 'button', class: 'quiet', onclick: look}, 'Look again');

  async function look() {
    button.disabled = true;
    say(status, 'Looking …');
    const [found, database] = await Promise.allSettled([get('health'), get('database')]);
    button.disabled = false;
    if (found.status === 'rejected') say(status, found.reason.message);
    else {
      const all = found.value.sort((a, b) => order[a.severity] - order[b.severity]);
      const wrong = all.filter(({severity}) => severity !== 'ok');
      findings.replaceChildren(...wrong.map((each) => h('article', {class: `finding ${each.severity}`},
        h('h2', {}, h('span', {class: `badge ${each.severity}`}, each.severity), each.subject), h('p', {class: 'what'}, each.what), h('p', {class: 'hint'}, each.why), h('div', {}, h('small', {}, 'What to do'), command(each.do)))));
      fine.replaceChildren(...all.filter(({severity}) => severity === 'ok').map(({subject}) => h('li', {}, h('span', {class: 'mark yes', 'aria-hidden': 'true'}, '✓'), subject)));
      say(status, `${wrong.length ? format.plural(wrong.length, 'finding') : 'Nothing is wrong'}; looked at ${new Date().toLocaleTimeString()}`);
    }
    if (database.status === 'fulfilled') {
      const {server_version: version, role, notification_queue: queue, doorbell_holder: holder} = database.value;
      say(server, `PostgreSQL ${version}, as ${role}; the notification queue is ${format.percent(queue)} full; ${holder ? `the doorbell is kept quiet by ${holder}` : 'the doorbell rings'}`);
      bridges.replaceChildren(...database.value.bridges.map((each) => row([
        h('th', {scope: 'row'}, each.host, h('small', {}, `process ${each.process}, ${each.version}`)),
        h('td', {}, h('span', {class: `badge ${each.connected ? 'ok' : 'error'}`}, each.connected ? 'connected' : 'gone')),
        h('td', {class: 'number'}, `${format.duration(each.seen_s)} ago`), h('td', {class: 'number'}, format.count(each.sessions)), h('td', {class: 'number'}, format.count(each.subscriptions)),
        h('td', {class: 'number'}, format.count(each.catching_up)), h('td', {class: 'number'}, each.slowest_s === undefined ? 'nothing' : format.duration(each.slowest_s)), h('td', {}, each.doorbell)])));
    } else say(server, database.reason.message);
  }

  look();
  return {
    element: h('div', {class: 'stack'},
      h('section', {class: 'card', 'aria-labelledby': 'health-title'},
        h('header', {class: 'bar-of'}, h('h1', {id: 'health-title'}, 'Health'), status, button), findings, fine),
      h('section', {class: 'card', 'aria-labelledby': 'bridges-title'}, h('h2', {id: 'bridges-title'}, 'Bridges of this database'), server,
        table('Bridges of this database, as they last reported', ['Bridge', 'State', ...['Reported', 'Sessions', 'Subscriptions', 'Catching up', 'Slowest lacks'].map((text) => ({text, number: true})), 'Doorbell'], bridges, {class: 'list'}))),
    update() {},
    remove() {},
  };
}
