// WebSocket: all subscriptions on one socket, the token in the first message.
import {asError, codeOfClose, notRowcast, RowcastError} from '../problem.js';
import {checkMessage, type ServerMessage} from '../protocol.js';
import type {Connection, Listener, Setting, WireSubscription} from './transport.js';

// The server takes 50 messages a second and a burst of 100 by default.
const burst = 50;
const pause = 1100;

export function openWebSocket(setting: Setting, listener: Listener): Connection {
  return new WebSocketConnection(setting, listener);
}

class WebSocketConnection implements Connection {
  readonly #setting: Setting;
  readonly #listener: Listener;
  readonly #socket;
  #state: 'handshake' | 'greeting' | 'open' | 'over' = 'handshake';
  #heartbeat: number;
  #heard: number;
  #asked: number | undefined; // when a ping went out that nothing has answered
  #goodbye: number | undefined;
  #error: RowcastError | undefined;
  readonly #subscribed = new Set<string>();
  #outbox: string[] = [];
  #sent = 0; // since the last pause
  #stopTimer = () => {};
  #stopPause: (() => void) | undefined;

  constructor(setting: Setting, listener: Listener) {
    this.#setting = setting;
    this.#listener = listener;
    this.#heartbeat = setting.heartbeat;
    const {clock, openWebSocket} = setting.platform;
    this.#heard = clock.now();
    // Never told while being called: a constructor that throws (a bad URL, a policy) is an end like any other.
    try {
      this.#socket = openWebSocket!(`${setting.url.replace(/^http/, 'ws')}/v1/ws`, 'rowcast.v1');
    } catch (cause) {
      this.#stopTimer = clock.after(0, () => this.#end(asError(cause, 'unreachable')));
      return;
    }
    this.#socket.onopen = () => {
      this.#state = 'greeting';
      if (setting.token !== undefined) this.#outbox.unshift(JSON.stringify({type: 'auth', token: setting.token}));
      this.#flush();
    };
    this.#socket.onmessage = ({data}) => this.#received(data);
    this.#socket.onerror = () => {}; // `close` follows, and says more
    this.#socket.onclose = ({code, reason}) => this.#end(this.#error ?? new RowcastError(codeOfClose(code), reason || `closed with ${code}`));
    this.#stopTimer = clock.after(setting.times.open, () => this.#end(new RowcastError('timeout', 'no welcome in time')));
  }

  add(subscriptions: readonly WireSubscription[]): void {
    for (const {id, wish, after} of subscriptions) {
      this.#subscribed.add(id);
      this.#send({type: 'subscribe', id, ...wish, ...(after !== undefined && {after})});
    }
  }

  remove(id: string): void {
    if (this.#subscribed.delete(id)) this.#send({type: 'unsubscribe', id});
  }

  authenticate(token: string | undefined): void {
    if (token !== undefined) this.#send({type: 'auth', token});
  }

  poke(): void {
    if (this.#state === 'open') this.#ask();
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#stopTimer();
    this.#stopPause?.();
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  #received(data: unknown): void {
    this.#heard = this.#setting.platform.clock.now();
    this.#asked = undefined;
    this.#listener.heard();
    let message;
    try {
      if (typeof data !== 'string') throw notRowcast('no text');
      message = checkMessage(this.#setting.platform.parse(data));
    } catch (cause) {
      this.#end(asError(cause, 'not_rowcast'));
      return;
    }
    if (message) this.#take(message);
  }

  #take(message: ServerMessage): void {
    const {token} = this.#setting;
    switch (message.type) {
      case 'welcome':
        this.#heartbeat = message.heartbeat * 1000;
        if (token === undefined) this.#opened();
        break;
      case 'authenticated':
        this.#opened();
        break;
      case 'expiring':
        this.#listener.expiring(message.in * 1000);
        break;
      case 'subscribed':
        this.#listener.frame(message);
        break;
      case 'resync':
        this.#subscribed.delete(message.id);
        this.#listener.frame(message);
        break;
      case 'changes': {
        const {id, ...rest} = message;
        this.#listener.frame(id === undefined ? rest : {...rest, ids: [id]});
        break;
      }
      case 'cursor':
        this.#listener.frame({type: 'changes', cursor: message.cursor, events: [], more: false});
        break;
      case 'goodbye':
        this.#goodbye = message.reconnect_ms;
        break;
      case 'error': {
        const error = new RowcastError(message.code, message.message);
        // One that ends the connection is followed by a close.
        if (message.id === undefined) this.#error = error;
        else if (this.#subscribed.delete(message.id)) this.#listener.frame({type: 'refused', id: message.id, error});
        if (message.code === 'subject_changed') this.#end(error);
        break;
      }
    }
  }

  #opened(): void {
    if (this.#state !== 'greeting') return;
    this.#state = 'open';
    this.#watch();
    this.#listener.opened();
  }

  // The server's pings are not seen by a page; an answer to one's own is.
  #watch(): void {
    const {clock} = this.#setting.platform;
    this.#stopTimer();
    const now = clock.now();
    const patience = Math.min(this.#heartbeat, this.#setting.times.answer);
    if (this.#asked !== undefined && now >= this.#asked + patience) {
      this.#end(new RowcastError('silent', 'nothing is heard'));
      return;
    }
    if (this.#asked === undefined && now >= this.#heard + this.#heartbeat) {
      this.#ask();
      return;
    }
    const due = this.#asked !== undefined ? this.#asked + patience : this.#heard + this.#heartbeat;
    this.#stopTimer = clock.after(due - now, () => this.#watch());
  }

  #ask(): void {
    if (this.#asked !== undefined) return;
    this.#asked = this.#setting.platform.clock.now();
    this.#send({type: 'ping'});
    this.#watch();
  }

  #send(message: object): void {
    this.#outbox.push(JSON.stringify(message, writeBigInt));
    if (this.#state === 'greeting' || this.#state === 'open') this.#flush();
  }

  #flush(): void {
    while (this.#outbox.length && this.#sent < burst) {
      this.#socket!.send(this.#outbox.shift()!);
      ++this.#sent;
    }
    this.#stopPause ??= this.#setting.platform.clock.after(pause, () => {
      this.#stopPause = undefined;
      this.#sent = 0;
      if (this.#outbox.length) this.#flush();
    });
  }

  #end({code, message, cause}: RowcastError): void {
    if (this.#state === 'over') return;
    this.close();
    this.#listener.ended(new RowcastError(code, message, {cause, wait: this.#goodbye}));
  }
}

// The digits, as the server compares them; JSON has no others.
const writeBigInt = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
