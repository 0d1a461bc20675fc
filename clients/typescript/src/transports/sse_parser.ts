// The lines of an event stream, as the HTML standard has them (9.2.6); pure.

export interface StreamMessage {
  readonly event: string;
  readonly data: string;
  /** Only where the message itself has one. */
  readonly id?: string;
}

/** No line of a stream is longer than this: whatever it is, it is not rowcast's. */
const longest = 64 * 1024 * 1024;

export class EventStreamParser {
  /** The server's last word on when to come back, in milliseconds. */
  retry: number | undefined;
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  /** The messages that a piece of the stream completes. */
  push(text: string): StreamMessage[] {
    const out: StreamMessage[] = [];
    // A \r at the end may be the first half of a line's end.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop()!;
    if (this.#rest.length > longest) throw new RangeError('a line of the event stream has no end');
    for (const line of lines) {
      const message = this.#line(line);
      if (message) out.push(message);
    }
    return out;
  }

  #line(line: string): StreamMessage | undefined {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id') this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return undefined;
  }

  #end(): StreamMessage | undefined {
    const message = {event: this.#event || 'message', data: this.#data.join('\n'), ...(this.#id !== undefined && {id: this.#id})};
    const empty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    this.#id = undefined;
    return empty ? undefined : message;
  }
}
