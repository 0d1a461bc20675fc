// Who may see what, and why somebody gets a row or does not.
import {get, post} from './api.js';
import {h, say} from './dom.js';

// {total: {gte: 100}} as people say it.
const signs = {eq: '=', neq: '≠', gt: '>', gte: '≥', lt: '<', lte: '≤', in: 'in', nin: 'not in', is: 'is', like: 'like', ilike: 'ilike', contains: 'contains'};
const value = (given) => (typeof given === 'string' && /^\$(claims|sets)\./.test(given) ? h('span', {class: 'claim'}, given) : h('span', {class: 'literal'}, JSON.stringify(typeof given === 'string' && given.startsWith('$$') ? given.slice(1) : given)));

export function condition(where) {
  const [[name, inside]] = Object.entries(where);
  if (name === 'and' || name === 'or') return h('span', {class: 'group'}, inside.flatMap((each, i) => [i > 0 && h('span', {class: 'word'}, ` ${name} `), each.and || each.or ? h('span', {}, '(', condition(each), ')') : condition(each)]));
  if (name === 'not') return h('span', {}, h('span', {class: 'word'}, 'not '), '(', condition(inside), ')');
  const [[operator, right]] = Object.entries(inside);
  return h('span', {}, h('b', {}, name), ` ${signs[operator] ?? operator} `, value(right));
}

function rule(of) {
  return h('li', {},
    h('span', {class: 'roles'}, of.roles ? of.roles.map((role) => h('span', {class: 'role'}, role)) : h('span', {class: 'role any'}, 'everybody')),
    h('span', {class: 'where mono'}, of.where ? condition(of.where) : 'every row'),
    h('span', {class: 'gives'}, of.columns ? of.columns.join(', ') : 'every captured column'),
    of.line && h('small', {}, `line ${of.line}`));
}

const block = (name, note, rules, warning) => h('article', {class: 'rule-of'},
  h('h3', {class: 'mono'}, name, note && h('small', {}, note), warning && h('span', {class: 'badge warning'}, warning)),
  rules.length ? h('ol', {class: 'rules'}, rules.map(rule)) : h('p', {class: 'hint'}, 'No rule: nobody sees it.'));

// The verdict, as `rowcast explain` prints it.
const marks = {yes: '✓', no: '✗', unknown: '?', undecided: '…'};
const words = {yes: 'holds', no: 'does not hold', unknown: 'is unknown', undecided: 'cannot be decided'};

function tree(node) {
  const mark = h('span', {class: `mark ${node.holds}`, role: 'img', 'aria-label': words[node.holds]}, marks[node.holds]);
  const parts = node.and ?? node.or ?? node.not;
  if (parts) return h('li', {}, mark, h('span', {class: 'word'}, node.and ? 'all of' : node.or ? 'one of' : 'not'), h('ul', {}, parts.map(tree)));
  const has = [node.value !== undefined && `the row has ${JSON.stringify(node.value)}`, node.compared !== undefined && `compared with ${JSON.stringify(node.compared)}`, node.remark].filter(Boolean).join(', ');
  return h('li', {}, mark, h('span', {class: 'mono'}, node.condition), has && h('small', {}, ` (${has})`));
}

const explainedRow = (title, {rules, columns, filter_columns_not_given: hidden}) => h('section', {class: 'explained'},
  title && h('h4', {}, title),
  h('ul', {class: 'tree'}, rules.map((each) => h('li', {class: each.for_user ? null : 'other'},
    each.for_user ? h('span', {class: `mark ${each.holds ?? 'yes'}`, role: 'img', 'aria-label': words[each.holds ?? 'yes']}, marks[each.holds ?? 'yes']) : h('span', {class: 'mark', 'aria-hidden': 'true'}, '–'),
    `rule ${each.rule}${each.line ? `, line ${each.line}` : ''}, for ${each.roles?.join(', ') ?? 'everybody'}`,
    !each.for_user && h('small', {}, ' (this user has none of these roles)'),
    each.problem && h('span', {class: 'badge warning'}, each.problem),
    each.for_user && each.where && h('ul', {}, tree(each.where))))),
  columns.length > 0 && h('p', {class: 'hint'}, `gives ${columns.join(', ')}`),
  hidden && h('p', {class: 'hint'}, `the filter names ${hidden.join(', ')}, which they may not read`));

const verdicts = {sent: ['ok', 'They get it'], nothing: ['error', 'They do not get it'], resync: ['warning', 'They are told to read again'], refused: ['error', 'They are refused']};

function verdict(found) {
  const [mood, title] = verdicts[found.verdict];
  return [
    h('h3', {tabindex: '-1'}, h('span', {class: `badge ${mood}`}, found.verdict), ` ${title}`),
    h('p', {}, found.reason),
    found.before && explainedRow(found.after ? 'as it was' : null, found.before),
    found.after && explainedRow(found.before ? 'as it is' : null, found.after),
    found.event && h('details', {}, h('summary', {}, 'What they get'), h('pre', {tabindex: '0'}, JSON.stringify(found.event, null, 2))),
  ];
}

function json(given, what) {
  try {
    return JSON.parse(given);
  } catch {
    throw new Error(`${what} is no JSON`);
  }
}

const kinds = {
  key: {text: 'by its key', label: 'Key', placeholder: '{"id": 42}', read: (given) => ({key: json(given, 'the key')})},
  row: {text: 'written down', label: 'Row', placeholder: '{"id": 42, "status": "open"}', read: (given) => ({row: json(given, 'the row')})},
  change: {text: 'a change, by its id', label: 'Id of the event', placeholder: '981', read: (given) => ({change: json(given, 'the id')})},
  channel: {text: 'a channel', label: 'Channel', placeholder: 'room:42', read: (given) => ({channel: given})},
};

function explain(names) {
  const refusal = h('p', {class: 'refusal', role: 'alert'});
  const answer = h('div', {class: 'verdict', 'aria-live': 'polite'});
  const label = h('span');
  const what = h('input', {name: 'what', required: true, spellcheck: 'false', autocomplete: 'off', class: 'mono'});
  const table = h('select', {name: 'table'}, names.map((name) => h('option', {value: name}, name)));
  const tableLabel = h('label', {}, 'Table', table);
  const kind = h('select', {name: 'kind', onchange: choose}, Object.entries(kinds).map(([value, {text}]) => h('option', {value}, text)));
  function choose() {
    const chosen = kinds[kind.value];
    say(label, chosen.label);
    what.placeholder = chosen.placeholder;
    tableLabel.hidden = kind.value === 'channel' || kind.value === 'change';
  }
  async function send(event) {
    event.preventDefault();
    say(refusal, '');
    const given = new FormData(event.target);
    const button = event.target.querySelector('[type=submit]');
    button.disabled = true;
    try {
      const body = kinds[kind.value].read(given.get('what').trim());
      if (!tableLabel.hidden) body.table = table.value;
      const text = (name) => given.get(name).trim();
      const roles = text('roles').split(/[\s,]+/).filter(Boolean);
      if (text('token')) body.token = text('token');
      else if (text('user') || roles.length || text('claims')) body.claims = {...(text('claims') && json(text('claims'), 'what else the token says')), ...(text('user') && {sub: text('user')}), ...(roles.length && {roles})};
      answer.replaceChildren(...verdict(await post('explain', body)).filter(Boolean));
      answer.querySelector('h3').focus();
    } catch (error) {
      answer.replaceChildren();
      say(refusal, error.message);
    }
    button.disabled = false;
  }
  choose();
  return h('section', {class: 'card explain', 'aria-labelledby': 'explain-title'},
    h('h2', {id: 'explain-title'}, 'Why does this user get this row?'),
    h('p', {class: 'hint'}, 'The verdict comes from the code that delivers. It shows what the rules hide, and who asked stands in the log.'),
    h('form', {class: 'grid', onsubmit: send},
      h('fieldset', {}, h('legend', {}, 'Which row'), h('label', {}, 'Row', kind), tableLabel, h('label', {}, label, what)),
      h('fieldset', {}, h('legend', {}, 'Who'),
        h('label', {}, 'User (sub)', h('input', {name: 'user', spellcheck: 'false', autocomplete: 'off', placeholder: 'nobody: without a token'})),
        h('label', {}, 'Roles', h('input', {name: 'roles', spellcheck: 'false', autocomplete: 'off', placeholder: 'customer, support'})),
        h('label', {}, 'Other claims', h('input', {name: 'claims', class: 'mono', spellcheck: 'false', autocomplete: 'off', placeholder: '{"region": "north"}'})),
        h('label', {}, 'or a token', h('input', {name: 'token', class: 'mono', spellcheck: 'false', autocomplete: 'off', placeholder: 'eyJ…'}))),
      h('div', {class: 'actions'}, h('button', {type: 'submit', class: 'primary'}, 'Explain'), refusal)),
    answer);
}

export function rules() {
  const body = h('div', {class: 'stack'});
  const right = h('div', {class: 'stack'});
  const note = h('p', {class: 'hint', role: 'status'}, 'Looking …');
  get('rules').then(({tables, channels, sets}) => {
    say(note, tables.length || channels.length ? '' : 'There are no rules: nobody sees anything.');
    body.replaceChildren(...[
      tables.length > 0 && h('section', {class: 'card', 'aria-label': 'Tables'}, h('h2', {}, 'Tables'), tables.map((each) => block(each.table, null, each.rules, each.watched ? null : 'not watched'))),
      channels.length > 0 && h('section', {class: 'card', 'aria-label': 'Channels'}, h('h2', {}, 'Channels'), channels.map((each) => block(each.channel, null, each.rules))),
      sets.length > 0 && h('section', {class: 'card', 'aria-label': 'Sets'}, h('h2', {}, 'Sets'), sets.map((each) => h('article', {class: 'rule-of'}, h('h3', {class: 'mono'}, `$sets.${each.set}`), h('pre', {tabindex: '0'}, each.query), h('p', {class: 'hint'}, `read again when ${each.watch.join(', ')} changes`)))),
    ].filter(Boolean));
    right.replaceChildren(explain(tables.map(({table}) => table)));
  }, (error) => say(note, error.message));
  return {element: h('div', {}, h('h1', {class: 'unseen'}, 'Rules'), note, h('div', {class: 'pair even'}, body, right)), update() {}, remove() {}};
}
