// Time series, drawn by Chart.js. Beside each stands a table of what it shows, which is its legend as well: now, mean, highest.
import {h, say, setAttribute} from './dom.js';
import {points, span} from './live.js';

const shortest = 60; // seconds: what is not there yet takes no room

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const drawn = new Set();

// Bytes are counted in powers of two, so their axis is cut in such.
function nice(axis) {
  const step = 2 ** Math.ceil(Math.log2(Math.max(axis.max, 4) / 4));
  axis.options.ticks.stepSize = step;
  axis.max = step * Math.ceil(axis.max / step);
}

/** `series`: {name, colour (a CSS variable), of(point)}. `format`: a value as text. `binary`: it is one of bytes. */
export function chart({title, note, series, format, stacked = false, binary = false}) {
  const canvas = h('canvas', {role: 'img'});
  const rows = series.map(({name, colour}) => {
    const cells = [0, 1, 2].map(() => h('td', {class: 'number'}));
    return {cells, row: h('tr', {}, h('th', {scope: 'row'}, h('i', {class: 'swatch', style: {background: `var(${colour})`}}), name), cells)};
  });
  const figure = h('figure', {class: 'card chart'},
    h('figcaption', {}, h('h2', {}, title), note && h('small', {}, note)),
    h('div', {class: 'plot'}, canvas),
    h('table', {class: 'legend'}, h('caption', {class: 'unseen'}, `${title}, in the last five minutes`),
      h('thead', {}, h('tr', {}, ['Series', 'now', 'mean', 'max'].map((each, i) => h('th', {scope: 'col', class: i ? 'number' : 'unseen-text'}, each)))),
      h('tbody', {}, rows.map(({row}) => row))));

  const plot = new Chart(canvas, {
    type: 'line',
    data: {datasets: series.map(() => ({data: []}))},
    options: {
      animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false, events: ['mousemove', 'mouseout', 'touchmove'],
      interaction: {mode: 'index', intersect: false},
      elements: {point: {radius: 0, hoverRadius: 3, hitRadius: 8}, line: {borderWidth: 1.5, tension: 0.25}},
      scales: {
        x: {type: 'linear', grid: {drawTicks: false}, border: {display: false}, ticks: {maxRotation: 0, stepSize: 60, autoSkip: false, padding: 6,
          callback: (value) => (value % 15 ? '' : value === 0 ? 'now' : value % 60 ? `−${-value} s` : `−${-value / 60} min`)}, max: 0},
        y: {stacked, beginAtZero: true, afterDataLimits: binary && nice, grid: {drawTicks: false}, ticks: {maxTicksLimit: 5, padding: 8, callback: (value) => format(value)}},
      },
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: {title: ([item]) => (item ? new Date(item.raw.at).toLocaleTimeString() : ''), label: ({datasetIndex, raw}) => ` ${series[datasetIndex].name}  ${format(raw.value)}`}},
      },
    },
  });

  function colour() {
    const {scales, plugins} = plot.options;
    for (const axis of Object.values(scales)) {
      axis.grid.color = axis.grid.borderColor = style('--grid');
      axis.ticks.color = style('--soft');
      axis.ticks.font = {size: 11, family: style('--sans')};
    }
    Object.assign(plugins.tooltip, {backgroundColor: style('--ink'), titleColor: style('--card'), bodyColor: style('--card'), padding: 10, boxPadding: 4, cornerRadius: 8});
    plot.data.datasets.forEach((set, i) => {
      const own = style(series[i].colour);
      Object.assign(set, {borderColor: own, pointHoverBackgroundColor: own, backgroundColor: `${own}${stacked ? '55' : '1c'}`, fill: stacked ? (i ? '-1' : 'origin') : i === 0 && 'origin'});
    });
  }

  function update() {
    const end = points.at(-1)?.at ?? Date.now();
    const long = Math.min(Math.max((end - (points[0]?.at ?? end)) / 1000, shortest), span);
    Object.assign(plot.options.scales.x, {min: -long});
    plot.options.scales.x.ticks.stepSize = long > 2 * shortest ? 60 : 15;
    const said = [];
    series.forEach(({name, of}, i) => {
      const values = points.map(of).filter(Number.isFinite);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const now = points.length ? of(points.at(-1)) : NaN;
      [now, mean, values.length ? Math.max(...values) : NaN].forEach((value, j) => say(rows[i].cells[j], Number.isFinite(value) ? format(value) : '–'));
      plot.data.datasets[i].data = points.map((point) => ({x: (point.at - end) / 1000, y: Number.isFinite(of(point)) ? of(point) : null, value: of(point), at: point.at}));
      said.push(`${name} ${Number.isFinite(now) ? format(now) : 'nothing yet'}`);
    });
    setAttribute(canvas, 'aria-label', `${title} over the last five minutes; now: ${said.join(', ')}. The table below has the figures.`);
    plot.update('none');
  }

  const own = {colour: () => (colour(), plot.update('none')), figure};
  drawn.add(own);
  colour();
  update();
  return {figure, update, remove: () => (drawn.delete(own), plot.destroy())};
}

/** A line without axes, of the last points. */
export function spark() {
  const line = h('polyline', {fill: 'none', stroke: 'currentColor', 'stroke-width': '1.5', 'vector-effect': 'non-scaling-stroke', 'stroke-linejoin': 'round'});
  const made = h('svg', {class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true'}, line);
  return {element: made, update(values) {
    const most = Math.max(...values.filter(Number.isFinite), 1e-9);
    line.setAttribute('points', values.map((value, i) => `${(i / Math.max(values.length - 1, 1)) * 100},${23 - (Number.isFinite(value) ? (value / most) * 21 : 0)}`).join(' '));
  }};
}

export const recolour = () => drawn.forEach((each) => each.colour());
