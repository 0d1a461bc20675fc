// Polling: long, where a request is held until there is something, or plain, every so often.
import {checkPage, type Page, type WireEvent} from '../protocol.js';
import {getJson} from './http.js';
import {LanesConnection, type Lane} from './lanes.js';
import type {Connection, Listener, Setting} from './transport.js';

/** Fewer than a track remembers (`track.ts`): what comes again after a break in a long catching up is known again. */
const limit = 1000;

export function openPolling(setting: Setting, listener: Listener): Connection {
  return new PollingConnection(setting, listener);
}

class PollingConnection extends LanesConnection {
  protected override get quiet(): number {
    const {transport, times} = this.setting;
    return transport === 'longpoll' ? times.longPoll + times.answer : times.poll / 2;
  }

  protected override async carry(lane: Lane): Promise<void> {
    const {times, transport} = this.setting;
    const ids = lane.members.map(({id}) => id);
    const hold = transport === 'longpoll' && !lane.crowded ? times.longPoll : 0;
    let after = lane.after; // what is asked for
    let wait = 0; // at first: whether this works at all, and what is to be caught up with
    let begun = false;
    while (!lane.signal.aborted) {
      const page = await this.#ask(lane, after, wait);
      if (lane.signal.aborted) return;
      this.heard();
      if (!begun) lane.begun(after ?? page.cursor);
      begun = true;
      this.#tell(lane, ids, after, page);
      after = page.cursor;
      wait = page.more ? 0 : hold;
      // A lane that ended came back as something else.
      if (page.resync?.length || page.more || hold > 0) continue;
      await this.#pause(lane.signal);
    }
  }

  async #ask(lane: Lane, after: string | undefined, wait: number): Promise<Page> {
    const {platform, url, times} = this.setting;
    const asked = {token: this.token, signal: lane.signal, patience: wait + times.answer};
    const query = `${lane.query(after)}${after === undefined ? '' : `&limit=${limit}`}${wait ? `&wait=${Math.round(wait / 1000)}` : ''}`;
    return getJson(platform, `${url}/v1/changes?${query}`, asked, checkPage);
  }

  // A page that is not the last may end in the midst of a transaction: what comes before that is handed over. The place
  // to go on from after a break is the last page's beginning then; what is handed over of this page is known by its ids.
  #tell(lane: Lane, ids: readonly string[], asked: string | undefined, page: Page): void {
    const {events, more, cursor} = page;
    if (more) {
      const open = beginningOfLast(events);
      if (open > 0) {
        lane.tell({type: 'changes', ids, events: events.slice(0, open), more: false, ...(asked !== undefined && {cursor: asked})});
        if (asked !== undefined) lane.reached(asked);
      }
      if (!lane.signal.aborted) lane.tell({type: 'changes', ids, events: events.slice(open), more: true});
    } else {
      lane.tell({type: 'changes', ids, events, cursor, more: false});
    }
    for (const {id, reason} of page.resync ?? []) lane.tell({type: 'resync', id, reason});
    if (!more) lane.reached(cursor);
  }

  #pause(signal: AbortSignal): Promise<void> {
    const {platform, times, visible} = this.setting;
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
}

function beginningOfLast(events: readonly WireEvent[]): number {
  let index = events.length;
  const last = events.at(-1)?.tx;
  while (index > 0 && events[index - 1]!.tx === last) --index;
  return index;
}
