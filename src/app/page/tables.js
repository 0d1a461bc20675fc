// What is captured: how much comes, how large it is, how far back it is kept.
import {get, post} from './api.js';
import {spark} from './charts.js';
import {ask, command, h, keep, say, table as tableOf, toast} from './dom.js';
import * as format from './format.js';
import * as live from './live.js';

const interval = 10_000;
const quoted = (name) => (/^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`);
const literal = (text) => `'${text.replaceAll("'", "''")}'`;
const kinds = ['inserts', 'updates', 'deletes', 'others'];
const names = (text) => text.split(',').map((each) => each.trim()).filter(Boolean);

// How a bridge that may not do it is helped.
const why = (database) => h('p', {class: 'hint'}, `The bridge connects as ${database.role}, which may not change what is captured: a bridge that is broken into must not be able to. Somebody who owns the table does it, in either way:`);

function watchCommands({table, columns, except, notify}) {
  const list = (option, given) => (given.length ? ` --${option} ${quoted(given.join(','))}` : '');
  const array = (option, given) => (given.length ? `, ${option} => ${literal(`{${given.map((each) => (/^\w+$/.test(each) ? each : `"${each.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`)}` : '');
  return [`rowcast watch ${quoted(table)}${list('columns', columns)}${list('except', except)}${notify ? '' : ' --no-notify'}`,
    `select rowcast.watch(${literal(table)}${array('columns', columns)}${array('"except"', except)}${notify ? '' : ', notify => false'});`];
}

function meter(label) {
  const bar = h('i');
  const text = h('span');
  const track = h('div', {class: 'track', role: 'meter', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100'}, bar);
  return {
    element: h('div', {class: 'meter'}, h('p', {}, h('strong', {}, label), text), track),
    update(part, said) {
      say(text, said);
      bar.style.inlineSize = `${Math.min(part, 1) * 100}%`;
      bar.className = part > 1.25 ? 'error' : part > 1 ? 'warning' : '';
      track.setAttribute('aria-valuenow', String(Math.min(Math.round(part * 100), 100)));
      track.setAttribute('aria-valuetext', said);
    },
  };
}

export function tables() {
  let database;
  const history = new Map(); // by table: {at, counts, rates}
  const rows = h('tbody');
  const status = h('p', {class: 'hint', role: 'status'}, 'Looking …');
  const age = meter('Age');
  const size = meter('Size');
  const head = h('span', {class: 'hint'});

  async function unwatch(of) {
    const done = await ask({
      title: `Stop capturing ${of.table}?`,
      action: 'Unwatch',
      danger: true,
      content: [h('p', {}, 'Its triggers are removed. Who is subscribed to it is told to read again, and finds nothing.'),
        !database.may_watch && [why(database), command(`rowcast unwatch ${quoted(of.table)}`), command(`select rowcast.unwatch(${literal(of.table)});`)]],
      act: database.may_watch && (() => post('unwatch', {table: of.table})),
    });
    if (done) toast(`${done.table} is captured no more`), look();
  }

  async function watch(event) {
    event.preventDefault();
    const form = event.target;
    if (!database) await look();
    if (!database) return toast(status.textContent, 'bad');
    const given = new FormData(form);
    const wish = {table: given.get('table').trim(), columns: names(given.get('columns')), except: names(given.get('except')), notify: given.has('notify')};
    const [shell, sql] = watchCommands(wish);
    const body = {table: wish.table, ...(wish.columns.length && {columns: wish.columns}), ...(wish.except.length && {except: wish.except}), ...(!wish.notify && {notify: false})};
    const done = await ask({
      title: `Capture ${wish.table}`,
      action: 'Watch',
      content: database.may_watch ? [h('p', {}, 'Triggers are put on the table, and on all of its partitions. It takes a short lock; writers wait for it no longer than a moment.'), command(sql)]
        : [why(database), command(shell), command(sql)],
      act: database.may_watch && (() => post('watch', body)),
    });
    if (!done) return;
    form.reset();
    toast(`${done.table} is captured`);
    for (const each of done.warnings) toast(each, 'bad');
    look();
  }

  const make = (of) => {
    const at = Object.fromEntries(['rate', 'rows', 'size', 'columns', 'key', 'triggers', 'counts'].map((name) => [name, h('span')]));
    at.line = spark();
    at.parts = kinds.map((kind) => h('i', {class: kind}));
    at.split = h('div', {class: 'split', 'aria-hidden': 'true'}, at.parts);
    at.counts.className = 'counts';
    const made = h('tr', {}, h('th', {scope: 'row', class: 'mono'}, of.table),
      h('td', {class: 'number'}, at.rate), h('td', {class: 'sparks'}, at.line.element), h('td', {}, at.split, at.counts),
      h('td', {class: 'number'}, at.rows), h('td', {class: 'number'}, at.size), h('td', {class: 'mono'}, at.key), h('td', {class: 'columns'}, at.columns), h('td', {}, at.triggers),
      h('td', {class: 'does'}, h('button', {type: 'button', class: 'quiet', 'aria-label': `Unwatch ${of.table}`, onclick: () => unwatch(of)}, 'Unwatch')));
    made.at = at;
    return made;
  };
  const update = (made, of) => {
    const {at} = made;
    say(at.rows, of.rows === undefined ? '–' : format.short(of.rows));
    say(at.size, format.bytes(of.bytes));
    say(at.key, of.key.join(', ') || 'none');
    say(at.columns, `${of.all_columns ? 'all: ' : ''}${of.columns.join(', ')}`);
    say(at.triggers, of.triggers === 'ok' ? (of.notify ? 'ok' : 'ok, quiet') : of.triggers);
    at.triggers.className = `badge ${of.triggers === 'ok' ? 'ok' : 'error'}`;
  };

  async function refresh() {
    try {
      database = await get('database');
      const {log} = database;
      say(status, database.tables.length ? '' : 'No table is watched yet: nothing is captured, and nothing is sent.');
      keep(rows, database.tables, ({table}) => table, make, update);
      age.update((log.oldest_s ?? 0) / log.retention_s, `${log.oldest_s === undefined ? 'nothing' : format.duration(log.oldest_s)} of ${format.duration(log.retention_s)}`);
      size.update(log.bytes / log.retention_bytes, `${format.bytes(log.bytes)} of ${format.bytes(log.retention_bytes)}`);
      say(head, `about ${format.count(log.rows)} changes`);
    } catch (error) {
      say(status, error.message);
    }
    show();
  }

  // Rates are made of the counts that come every second.
  function show() {
    const now = Date.now();
    for (const [name, made] of rows.kept ?? []) {
      const counts = live.bridge?.traffic[name] ?? {inserts: 0, updates: 0, deletes: 0, others: 0};
      const sum = kinds.reduce((all, each) => all + counts[each], 0);
      const had = history.get(name) ?? {rates: []};
      if (had.at && now - had.at > 500) had.rates.push(Math.max(0, ((sum - had.sum) * 1000) / (now - had.at)));
      if (!had.at || now - had.at > 500) Object.assign(had, {at: now, sum});
      history.set(name, had);
      had.rates.splice(0, had.rates.length - 60);
      say(made.at.rate, had.rates.length ? format.short(had.rates.at(-1)) : '–');
      made.at.line.update(had.rates);
      made.at.parts.forEach((part, i) => (part.style.flexGrow = String(counts[kinds[i]])));
      say(made.at.counts, kinds.filter((each) => counts[each]).map((each) => `${format.short(counts[each])} ${each}`).join(', ') || 'nothing');
    }
  }

  const looking = live.repeat(refresh, interval);
  const look = looking.now;
  return {
    element: h('div', {class: 'stack'},
      h('section', {class: 'card', 'aria-labelledby': 'tables-title'},
        h('header', {class: 'bar-of'}, h('h1', {id: 'tables-title'}, 'Watched tables')),
        tableOf('Watched tables', ['Table', {text: 'Changes/s', number: true}, 'Last minute', 'Since the start', {text: 'Rows', number: true}, {text: 'Size', number: true}, 'Key', 'Captured', 'Triggers', 'Actions'], rows, {class: 'list'}), status),
      h('div', {class: 'pair'},
        h('section', {class: 'card', 'aria-labelledby': 'log-title'}, h('h2', {id: 'log-title'}, 'Change log ', head),
          h('p', {class: 'hint'}, 'How far back a client may resume. Bridges remove what is beyond either.'), age.element, size.element),
        h('section', {class: 'card', 'aria-labelledby': 'watch-title'}, h('h2', {id: 'watch-title'}, 'Watch a table'),
          h('form', {class: 'grid', onsubmit: watch},
            h('label', {}, 'Table', h('input', {name: 'table', required: true, placeholder: 'public.orders', spellcheck: 'false', autocomplete: 'off'})),
            h('label', {}, 'Only these columns', h('input', {name: 'columns', placeholder: 'all', spellcheck: 'false', autocomplete: 'off'})),
            h('label', {}, 'All but these', h('input', {name: 'except', placeholder: 'none', spellcheck: 'false', autocomplete: 'off'})),
            h('label', {class: 'check'}, h('input', {type: 'checkbox', name: 'notify', checked: true}), 'ring at each commit'),
            h('div', {class: 'actions'}, h('button', {type: 'submit', class: 'primary'}, 'Watch …')))))),
    update: show,
    remove: looking.stop,
  };
}
