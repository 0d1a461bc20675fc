// One user's half of the page: who they are, what the rules give them, and their tables.

import {Client} from './client.js';
import {Latest, Tiles, make} from './tables.js';

const CUT_MS = 5000;
const WORDS = {connecting: 'connecting', live: 'live', 'catching-up': 'catching up', failed: 'refused'};

export class User {
  #about;
  #meters;
  #article;
  #tables = new Map();
  #countdown = null;
  #state = '';
  #pulse;

  constructor(about, rules, meters, pulse) {
    this.#about = about;
    this.#meters = meters;
    this.#pulse = pulse;
    this.#article = document.getElementById('user-template').content.cloneNode(true).firstElementChild;
    this.#article.dataset.user = about.role;
    this.#find('.avatar').textContent = about.name[0];
    this.#find('h2').textContent = about.name;
    this.#find('.who p').textContent = about.title;
    this.#find('.rule .name').textContent = about.name;
    highlight(this.#find('.rule code'), rulesOf(rules, about.role));
    for (const each of about.tables) {
      const shown = each.view === 'tiles' ? new Tiles(each) : new Latest(each);
      this.#tables.set(each.table, shown);
      this.#find('.tables').append(shown.element);
    }
    this.element = this.#article;
  }

  start() {
    const client = new Client({
      url: new URL('v1/ws', document.baseURI).href.replace(/^http/, 'ws'),
      token: this.#about.token,
      subscriptions: this.#about.tables.map(({table}) => ({id: table, table, old: true})),
      on: {
        state: (name, detail) => this.#show(name, detail),
        events: (events, context) => this.#receive(events, context),
        restart: ({table}) => this.#tables.get(table).clear(),
        // The demo was started anew, with another key: so is the page.
        unknown: () => location.reload(),
      },
    });
    this.#find('.cut').addEventListener('click', () => client.cut(CUT_MS));
    client.connect();
  }

  #receive(events, context) {
    this.#meters.events(events, context);
    if (events.length) this.#pulse();
    for (const event of events) {
      const table = this.#tables.get(event.table);
      if (event.op === 'TRUNCATE') {
        table.clear();
        continue;
      }
      this.#check(event, table.row(Object.values(event.key)[0]));
      table.apply(event);
    }
  }

  // What the row was before must be what we hold: the proof that there is no hole, no doubling and no wrong order.
  #check({op, old}, held) {
    if (op !== 'UPDATE' || !old || !held) return;
    this.#meters.checked(Object.entries(old).every(([column, value]) => !(column in held) || held[column] === value));
  }

  #show(state, detail) {
    clearInterval(this.#countdown);
    if (state === this.#state && state === 'live') return;
    if ((state === 'cut' || state === 'waiting') && this.#state !== 'cut' && this.#state !== 'waiting') this.#meters.interrupted();
    this.#state = state;
    this.#article.dataset.state = state;
    this.#find('.cut').disabled = state !== 'live';
    if (state === 'cut' || state === 'waiting') {
      const until = performance.now() + detail;
      const words = state === 'cut' ? 'line cut' : 'reconnecting';
      const tick = () => this.#say(`${words}, back in ${Math.max(0, (until - performance.now()) / 1000).toFixed(0)} s`);
      tick();
      this.#countdown = setInterval(tick, 500);
    } else {
      this.#say(WORDS[state] + (state === 'failed' ? `: ${detail}` : ''));
    }
  }

  #say(words) {
    const label = this.#find('.status span');
    if (label.textContent !== words) label.textContent = words;
  }

  #find(selector) {
    return this.#article.querySelector(selector);
  }
}

// The rules of one role out of the very file that the bridge runs with; each of its rules stands on a line of its own.
function rulesOf(yaml, role) {
  const lines = [];
  let table = null;
  for (const line of yaml.split('\n')) {
    if (/^ {2}public\./.test(line)) table = line.trim();
    const rule = /^ {4}- \{(.*)\}/.exec(line);
    if (table && rule && rule[1].includes(`roles: [${role}]`)) {
      lines.push(table);
      lines.push(`  - {${rule[1].replace(/, columns: /, ',\n     columns: ')}}`);
    }
    if (/^\S/.test(line)) table = null;
  }
  return lines.join('\n');
}

function highlight(code, text) {
  for (const part of text.split(/(\$claims\.\w+|^[\w.]+(?=:)|\b(?:roles|where|columns)(?=:))/m)) {
    if (part === '') continue;
    const kind = part.startsWith('$') ? 'claim' : /^public\./.test(part) ? 'name' : /^(roles|where|columns)$/.test(part) ? 'key' : '';
    code.append(kind ? make('span', kind, part) : part);
  }
}
