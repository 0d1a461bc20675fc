// Server-Sent Events over fetch: the token goes in a header, and what a proxy holds back is noticed.
import {asError, notRowcast, RowcastError} from '../problem.js';
import {isObject, type WireEvent} from '../protocol.js';
import {request} from './http.js';
import {LanesConnection, type Lane} from './lanes.js';
import {pollLane} from './poll_lane.js';
import {EventStreamParser, type StreamMessage} from './sse_parser.js';
import type {Connection, Listener, Setting} from './transport.js';

export function openEventStream(setting: Setting, listener: Listener): Connection {
  return new EventStreamConnection(setting, listener);
}

class EventStreamConnection extends LanesConnection {
  // In which a silent server speaks once, and what came on the way is allowed for.
  protected override get quiet(): number {
    return 2 * this.setting.heartbeat + this.setting.times.answer;
  }

  override authenticate(token: string | undefined): void {
    super.authenticate(token);
    this.arrange(); // a stream keeps the token that it was opened with
  }

  protected override carry(lane: Lane): Promise<void> {
    return lane.crowded ? pollLane(lane, this.setting, 0, () => this.token) : this.#stream(lane);
  }

  async #stream(lane: Lane): Promise<void> {
    const {platform, url, times} = this.setting;
    const watch = new AbortController();
    const stop = () => watch.abort(lane.signal.reason);
    lane.signal.addEventListener('abort', stop);
    let begun = false;
    let due = platform.clock.now() + times.open;
    // Looks again and again instead of being set anew with every piece that comes.
    let cancel = () => {};
    const look = () => {
      const left = due - platform.clock.now();
      if (left > 0) cancel = platform.clock.after(left, look);
      else watch.abort(new RowcastError(begun ? 'silent' : 'timeout', 'nothing comes through the event stream'));
    };
    look();
    const parser = new EventStreamParser();
    try {
      const response = await request(platform, `${url}/v1/sse?${lane.query(lane.after)}`, this.token, watch.signal, 'text/event-stream');
      const reader = response.body!.getReader();
      const decoder = new TextDecoder();
      let retry: number | undefined;
      for (;;) {
        const {done, value} = await reader.read();
        if (done) break;
        lane.heard();
        for (const message of parser.push(decoder.decode(value, {stream: true}))) {
          if (lane.signal.aborted) return;
          this.#take(lane, message);
          begun = true;
        }
        retry ??= parser.retry;
        if (begun) due = platform.clock.now() + this.quiet;
      }
      // The stream begins with one `retry`; a second one is a goodbye.
      throw new RowcastError('shutdown', 'the event stream has ended', {wait: parser.retry === retry ? undefined : parser.retry});
    } catch (cause) {
      throw asError(watch.signal.aborted ? watch.signal.reason : cause, 'unreachable');
    } finally {
      cancel();
      lane.signal.removeEventListener('abort', stop);
      watch.abort();
    }
  }

  #take(lane: Lane, {event, data, id}: StreamMessage): void {
    const value = this.#parse(data);
    switch (event) {
      case 'cursor':
        if ('status' in value) lane.begun(String(value['cursor']));
        else lane.changes([], String(value['cursor']));
        break;
      case 'reset':
        for (const member of lane.members) member.reset = String(value['reason']);
        lane.begun(String(value['cursor']));
        break;
      case 'change':
        if (!Array.isArray(value['subs'])) throw notRowcast('an event that is for nobody');
        if (id === undefined) lane.part([value as unknown as WireEvent], undefined);
        else lane.changes([value as unknown as WireEvent], id);
        break;
      case 'resync':
        lane.tell({type: 'resync', id: String(value['id']), reason: String(value['reason'])});
        break;
      case 'error':
        throw new RowcastError(String(value['code']), String(value['message']));
    }
  }

  #parse(data: string): Readonly<Record<string, unknown>> {
    let value;
    try {
      value = this.setting.platform.parse(data);
      if (!isObject(value)) throw notRowcast('a message that is no object');
    } catch (cause) {
      throw asError(cause, 'not_rowcast');
    }
    return value;
  }
}
