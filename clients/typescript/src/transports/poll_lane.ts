// One lane by polling: page after page from its place, at once while there is more, else held or every so often.
import {checkPage, type Page, type WireEvent} from '../protocol.js';
import {getJson} from './http.js';
import type {Lane} from './lanes.js';
import type {Setting} from './transport.js';

/** Fewer than a track remembers (`track.ts`): what comes again after a break in a long catching up is known again. */
const limit = 1000;

/** `hold`: how long a request waits for something to happen; 0: not at all. */
export async function pollLane(lane: Lane, setting: Setting, hold: number, token: () => string | undefined): Promise<void> {
  let after = lane.after; // what is asked for
  let wait = 0; // at first: whether this works at all, and what is to be caught up with
  for (let begun = false; !lane.signal.aborted; begun = true) {
    const page = await ask(lane, setting, after, wait, token());
    if (lane.signal.aborted) return;
    lane.heard();
    if (!begun) lane.begun(after ?? page.cursor);
    tell(lane, page);
    after = page.cursor;
    wait = page.more ? 0 : hold;
    if (!page.more && hold === 0) await pause(lane.signal, setting);
  }
}

function ask(lane: Lane, {platform, url, times}: Setting, after: string | undefined, wait: number, token: string | undefined): Promise<Page> {
  const query = `${lane.query(after)}${after === undefined ? '' : `&limit=${limit}`}${wait ? `&wait=${Math.round(wait / 1000)}` : ''}`;
  return getJson(platform, `${url}/v1/changes?${query}`, {token, signal: lane.signal, patience: wait + times.answer}, checkPage);
}

// A page that is not the last may end in the midst of a transaction: what comes before that is handed over.
function tell(lane: Lane, {events, more, cursor, resync}: Page): void {
  if (more) {
    const open = beginningOfLast(events);
    if (open > 0) lane.whole(events.slice(0, open));
    lane.part(events.slice(open), cursor);
  } else {
    lane.changes(events, cursor);
  }
  for (const {id, reason} of resync ?? []) lane.tell({type: 'resync', id, reason});
}

function beginningOfLast(events: readonly WireEvent[]): number {
  let index = events.length;
  const last = events.at(-1)?.tx;
  while (index > 0 && events[index - 1]!.tx === last) --index;
  return index;
}

function pause(signal: AbortSignal, {platform, times, visible}: Setting): Promise<void> {
  const time = (visible() ? times.poll : times.pollHidden) * (0.75 + platform.random() / 2);
  return new Promise((resume) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resume();
    };
    const stop = platform.clock.after(time, done);
    signal.addEventListener('abort', done);
  });
}
