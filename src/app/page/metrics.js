// Prometheus' text format, and what two looks at it say of the time between them. Pure.

/** Map from a metric's name to its samples: {labels, value}. */
export function parse(text) {
  const found = new Map();
  for (const line of text.split('\n')) {
    const match = /^([a-z_:]+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const [, name, inside, value] = match;
    const labels = {};
    for (const [, label, quoted] of (inside ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[label] = quoted.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({labels, value: Number(value)});
  }
  return found;
}

/** The sum of a metric's samples that have these labels. */
export function sum(metrics, name, labels = {}) {
  let total = 0;
  for (const sample of metrics.get(name) ?? []) {
    if (Object.entries(labels).every(([key, value]) => sample.labels[key] === value)) total += sample.value;
  }
  return total;
}

/** How much a counter has grown a second. One that begins anew (a restart) has grown by what it says. */
export function rate(before, now, name, labels) {
  const grown = sum(now.metrics, name, labels) - sum(before.metrics, name, labels);
  const seconds = (now.at - before.at) / 1000;
  return seconds > 0 ? (grown < 0 ? sum(now.metrics, name, labels) : grown) / seconds : 0;
}

/** Quantiles of what a histogram has seen between two looks, interpolated inside its buckets as Prometheus does; NaN: it has seen nothing. */
export function quantiles(before, now, name, wanted, labels = {}) {
  const buckets = new Map();
  const add = (metrics, sign) => {
    for (const sample of metrics.get(`${name}_bucket`) ?? []) {
      if (!Object.entries(labels).every(([key, value]) => sample.labels[key] === value)) continue;
      const le = sample.labels.le === '+Inf' ? Infinity : Number(sample.labels.le);
      buckets.set(le, (buckets.get(le) ?? 0) + sign * sample.value);
    }
  };
  add(now.metrics, 1);
  add(before.metrics, -1);
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  return wanted.map((quantile) => {
    if (!(total > 0)) return NaN;
    const rank = quantile * total;
    const index = sorted.findIndex(([, seen]) => seen >= rank);
    const [upper, seen] = sorted[index];
    const [lower, below] = index > 0 ? sorted[index - 1] : [0, 0];
    if (upper === Infinity) return lower;
    return lower + ((upper - lower) * (rank - below)) / (seen - below || 1);
  });
}
