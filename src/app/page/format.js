// Figures as people read them.

const grouped = new Intl.NumberFormat('en');

export function count(value) {
  return grouped.format(Math.round(value));
}

const digits = (value) => Number(value.toPrecision(3));

/** Three digits and a letter: 0.4, 12, 1.2k, 3.4M. */
export function short(value) {
  if (!Number.isFinite(value)) return '–';
  for (const [size, letter] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (value >= size) return `${digits(value / size)}${letter}`;
  }
  return value === 0 || value >= 10 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}

export function bytes(value) {
  if (!Number.isFinite(value)) return '–';
  for (const [size, unit] of [[2 ** 40, 'TB'], [2 ** 30, 'GB'], [2 ** 20, 'MB'], [2 ** 10, 'KB']]) {
    if (value >= size) return `${digits(value / size)} ${unit}`;
  }
  return `${Math.round(value)} B`;
}

/** Seconds as the two largest units: 3d 4h, 12m 5s. */
export function duration(seconds) {
  if (seconds < 1) return '<1s';
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
  const first = parts.findIndex(([size]) => seconds >= size);
  const [[size, unit], next] = [parts[first], parts[first + 1]];
  const whole = Math.floor(seconds / size);
  const rest = next && Math.floor((seconds - whole * size) / next[0]);
  return `${whole}${unit}${rest ? ` ${rest}${next[1]}` : ''}`;
}

/** Seconds as milliseconds with the digits that mean something. */
export function milliseconds(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const ms = seconds * 1000;
  if (ms === 0) return '0 ms';
  return ms >= 10_000 ? `${(ms / 1000).toPrecision(3)} s` : ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toPrecision(2)} ms`;
}

export const percent = (part) => `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;

export const plural = (many, one, more = `${one}s`) => `${count(many)} ${many === 1 ? one : more}`;
