// The figures at the top: everything is measured here, from what has really arrived.

import {now, parse} from './clock.js';

const SECONDS = 60;
const grouped = new Intl.NumberFormat('en');

export class Meters {
  #perSecond = [];
  #events = 0;
  #transactions = new Set();
  #transactionCount = 0;
  #checked = 0;
  #gaps = 0;
  #recovered = 0;
  #interruptions = 0;

  constructor() {
    this.#startSecond();
    setInterval(() => this.#startSecond(), 1000);
    setInterval(() => this.#show(), 250);
  }

  // What arrived together: whole transactions, each measured by its last change, which is the nearest to its commit.
  events(events, {caughtUp}) {
    const arrived = now();
    this.#events += events.length;
    this.#second.events += events.length;
    if (caughtUp) this.#recovered += events.length;
    for (const [tx, at] of new Map(events.map((event) => [event.tx, event.at]))) {
      this.#transaction(tx);
      if (!caughtUp) this.#second.latencies.push(arrived - parse(at));
    }
  }

  checked(holds) {
    this.#checked += 1;
    if (!holds) this.#gaps += 1;
  }

  interrupted() {
    this.#interruptions += 1;
  }

  get #second() {
    return this.#perSecond.at(-1);
  }

  // Both users hear of most transactions; a few recent ids are enough to count each once.
  #transaction(id) {
    if (this.#transactions.has(id)) return;
    this.#transactions.add(id);
    this.#transactionCount += 1;
    if (this.#transactions.size > 5000) this.#transactions.delete(this.#transactions.values().next().value);
  }

  #startSecond() {
    this.#perSecond.push({events: 0, latencies: []});
    if (this.#perSecond.length > SECONDS + 1) this.#perSecond.shift();
  }

  #show() {
    const sorted = this.#perSecond.flatMap(({latencies}) => latencies).sort((a, b) => a - b);
    set('latency', sorted.length ? milliseconds(at(sorted, 0.5)) : '–');
    set('latency-p99', sorted.length ? milliseconds(at(sorted, 0.99)) : '–');
    const complete = this.#perSecond.slice(0, -1);
    const last = complete.slice(-5);
    if (last.length) set('rate', grouped.format(Math.round(last.reduce((sum, {events}) => sum + events, 0) / last.length)));
    set('events', grouped.format(this.#events));
    set('transactions', grouped.format(this.#transactionCount));
    set('checked', grouped.format(this.#checked));
    set('gaps', grouped.format(this.#gaps));
    set('recovered', grouped.format(this.#recovered));
    set('interruptions', grouped.format(this.#interruptions));
    document.getElementById('gaps').closest('article').classList.toggle('bad', this.#gaps > 0);

    const medians = complete.map(({latencies}) => (latencies.length ? at([...latencies].sort((a, b) => a - b), 0.5) : null));
    const tops = complete.map(({latencies}) => (latencies.length ? at([...latencies].sort((a, b) => a - b), 0.99) : null));
    draw(document.getElementById('latency-spark'), [tops, medians]);
    draw(document.getElementById('rate-spark'), [complete.map(({events}) => events)]);
  }
}

function at(sorted, fraction) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
}

function milliseconds(value) {
  return value < 10 ? value.toFixed(1) : grouped.format(Math.round(value));
}

function set(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}

// The first series is drawn as an area, the last as a line; seconds without a value are bridged.
function draw(svg, series) {
  const width = 240;
  const height = 44;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const values = series.flat().filter((value) => value !== null).sort((a, b) => a - b);
  // One outlier must not flatten all the rest.
  const top = Math.max(1, (values.length ? at(values, 0.97) : 1) * 1.15);
  const points = (list) => list.flatMap((value, index) => {
    if (value === null) return [];
    const x = width - (list.length - 1 - index) * (width / (SECONDS - 1));
    return [[x.toFixed(1), (height - 2 - Math.min(1, value / top) * (height - 6)).toFixed(1)]];
  });
  const area = points(series[0]);
  const line = points(series.at(-1));
  svg.replaceChildren();
  if (area.length > 1) svg.append(path('area', `M${area[0][0]} ${height}L${area.map((p) => p.join(' ')).join('L')}L${area.at(-1)[0]} ${height}Z`));
  if (line.length > 1) svg.append(path('line', `M${line.map((p) => p.join(' ')).join('L')}`));
}

function path(name, d) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  element.setAttribute('class', name);
  element.setAttribute('d', d);
  return element;
}
