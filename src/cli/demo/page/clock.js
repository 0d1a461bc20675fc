// The machine's clock with the resolution of performance.now(). Date.now() is cut to milliseconds, so the true offset
// between the two is the largest one seen; it is looked for anew now and then, since the machine's clock is adjusted.

const WINDOW_MS = 30_000;
let best = -Infinity;
let previous = -Infinity;
let since = 0;

export function now() {
  const tick = performance.now();
  const offset = Date.now() - tick;
  if (tick - since > WINDOW_MS) {
    previous = best;
    best = -Infinity;
    since = tick;
  }
  best = Math.max(best, offset);
  return tick + Math.max(best, tick - since < 2000 ? previous : -Infinity);
}

/** Milliseconds since the epoch, with the microseconds that Date.parse drops. */
export function parse(rfc3339) {
  const [, whole, fraction = '0', zone] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(rfc3339);
  return Date.parse(whole + zone) + Number(`0.${fraction}`) * 1000;
}
