// How it goes: what comes in, what goes out, how late, to whom.
import {get} from './api.js';
import {chart, spark} from './charts.js';
import {h, keep, say, table} from './dom.js';
import * as format from './format.js';
import * as live from './live.js';

const {transports, names} = live;
const total = (by) => transports.reduce((all, each) => all + by[each], 0);
const colours = {websocket: '--first', sse: '--second', poll: '--third'};
const byTransport = (of) => transports.map((each) => ({name: names[each], colour: colours[each], of: (point) => of(point)[each]}));
const short = (value) => format.short(value);

function tile(label, note) {
  const value = h('output', {}, '–');
  const under = h('small', {}, note ?? '');
  const line = spark();
  return {
    element: h('article', {class: 'tile'}, h('h2', {}, label), h('p', {}, value, under), line.element),
    update(text, values, more, mood = '') {
      say(value, text);
      if (more !== undefined) say(under, more);
      this.element.className = `tile ${mood}`;
      line.update(values.slice(-120));
    },
  };
}

export function overview() {
  const measured = live.hasLatency();
  const tiles = {
    changes: tile('Changes', 'a second, from PostgreSQL'),
    events: tile('Events', 'a second, to clients'),
    latency: tile(measured ? 'Latency' : 'Reading', ''),
    sessions: tile('Sessions'),
    behind: tile('Slowest client'),
    bell: tile('Doorbell'),
  };
  const charts = [
    chart({title: 'Throughput', note: 'a second', format: short, series: [
      {name: 'changes read', colour: '--accent', of: (point) => point.changes},
      {name: 'events sent', colour: '--second', of: (point) => total(point.events)}]}),
    chart({title: measured ? 'Latency' : 'Time to read a batch', note: measured ? 'commit to socket' : 'from the change log', format: format.milliseconds, series: [['median', '--first', 0], ['95 %', '--second', 1], ['99 %', '--third', 2]]
      .map(([name, colour, i]) => ({name, colour, of: (point) => (measured ? point.latency : point.read)[i]}))}),
    chart({title: 'Sessions', note: 'by transport', format: short, stacked: true, series: byTransport((point) => point.sessions)}),
    chart({title: 'Sent', note: 'bytes a second, by transport', format: format.bytes, binary: true, stacked: true, series: byTransport((point) => point.bytes)}),
  ];

  const compared = h('tbody');
  const shares = transports.map((transport) => {
    const cells = Array.from({length: 8}, () => h('td', {class: 'number'}));
    const bar = h('i', {class: 'bar', style: {background: `var(${colours[transport]})`}});
    compared.append(h('tr', {}, h('th', {scope: 'row'}, h('i', {class: 'swatch', style: {background: `var(${colours[transport]})`}}), names[transport]), cells));
    cells[0].append(h('span'), bar);
    return {transport, cells, bar};
  });

  const findings = h('ul', {class: 'brief'});
  const findingsNote = h('p', {class: 'hint'}, 'Looking …');
  get('health').then((all) => {
    const wrong = all.filter(({severity}) => severity !== 'ok');
    say(findingsNote, wrong.length ? `${format.plural(wrong.length, 'finding')} in ${all.length} looks` : `Nothing is wrong: ${all.length} things were looked at.`);
    keep(findings, wrong.slice(0, 5), (each) => each.subject + each.what, (each) => h('li', {}, h('span', {class: `badge ${each.severity}`}, each.severity), ` ${each.what}`));
  }, (error) => say(findingsNote, error.message));

  const element = h('div', {class: 'overview'},
    h('h1', {class: 'unseen'}, 'Overview'),
    h('section', {class: 'tiles', 'aria-label': 'Now'}, Object.values(tiles).map(({element}) => element)),
    h('section', {class: 'charts', 'aria-label': 'The last five minutes'}, charts.map(({figure}) => figure)),
    h('div', {class: 'pair'},
      h('section', {class: 'card wide'}, h('h2', {}, 'Transports compared'),
        table('Transports compared, in the last ten seconds', ['Transport', ...['Sessions', 'Events/s', 'Bytes/s', 'Median', '99 %', 'Opened/min', 'Closed/min', 'Refused/min'].map((text) => ({text, number: true}))], compared)),
      h('section', {class: 'card'}, h('h2', {}, 'Health ', h('a', {href: '#health'}, 'all of it')), findingsNote, findings)));

  const moods = {sleeping: 'writers ring', quiet: 'the bridge reads by itself', taking: 'is being taken', letting_go: 'is let go'};

  return {
    element,
    update() {
      const point = live.points.at(-1);
      if (point) {
        const {points} = live;
        const seen = measured ? (each) => each.latency : (each) => each.read;
        tiles.changes.update(format.short(point.changes), points.map((each) => each.changes));
        tiles.events.update(format.short(total(point.events)), points.map((each) => total(each.events)));
        tiles.latency.update(format.milliseconds(seen(point)[0]), points.map((each) => seen(each)[0]),
          Number.isFinite(seen(point)[2]) ? `median; 99 % in ${format.milliseconds(seen(point)[2])}` : 'nothing in the last ten seconds');
        tiles.sessions.update(format.count(total(point.sessions)), points.map((each) => total(each.sessions)),
          transports.filter((each) => point.sessions[each]).map((each) => `${format.short(point.sessions[each])} ${names[each]}`).join(', ') || 'nobody is connected');
        tiles.behind.update(point.slowest > 0 ? format.duration(point.slowest) : 'none', points.map((each) => each.slowest),
          point.catchingUp ? `${format.plural(point.catchingUp, 'session')} catching up` : 'everybody has everything', point.slowest > 60 ? 'warning' : '');
        for (const {transport, cells, bar} of shares) {
          const [median, , high] = point.latencyBy[transport];
          const recent = points.slice(-10);
          const mean = (of) => recent.reduce((all, each) => all + of(each)[transport], 0) / recent.length;
          say(cells[0].firstChild, format.count(point.sessions[transport]));
          bar.style.inlineSize = `${(point.sessions[transport] / Math.max(total(point.sessions), 1)) * 100}%`;
          [format.short(mean((each) => each.events)), format.bytes(mean((each) => each.bytes)), format.milliseconds(median), format.milliseconds(high),
            format.short(mean((each) => each.opened) * 60), format.short(mean((each) => each.closed) * 60), format.short(mean((each) => each.refused) * 60)]
            .forEach((text, i) => say(cells[i + 1], text));
        }
      }
      if (live.bridge) tiles.bell.update(live.bridge.connected ? live.bridge.doorbell : 'away', [], live.bridge.connected ? moods[live.bridge.doorbell] : 'no connection to PostgreSQL', live.bridge.connected ? '' : 'error');
      charts.forEach((each) => each.update());
    },
    remove: () => charts.forEach((each) => each.remove()),
  };
}
