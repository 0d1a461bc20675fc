// Carries out what the state machine decides, and leads what comes to the subscriptions that it is for.
import {Feed, type Sink} from './feed.js';
import {backoff, initial, publicState, step, transportAt, transports, type Action, type ConnectionState, type Event, type State, type Times, type Transport} from './machine.js';
import type {CursorStorage, Platform, Signal} from './platform.js';
import {asError, isOfSubscription, isOfToken, RowcastError, whatNext} from './problem.js';
import {protect} from './protect.js';
import type {AnyRow, WireEvent, Wish} from './protocol.js';
import {ChannelQuery, TableQuery} from './query.js';
import {readRows, rowsQuery} from './rows.js';
import {askSession, type Session} from './session.js';
import {Tokens, type TokenProvider} from './tokens.js';
import type {Connection, Frame, Listener, Openers, TransportTimes} from './transports/transport.js';

/** How the connection is, for those who show it. A new object whenever something of it changes. */
export interface Status {
  readonly state: ConnectionState;
  /** What is in use, or being tried. */
  readonly transport: Transport | undefined;
  /** Why the last connection, or attempt at one, ended. Gone as soon as there is one again. */
  readonly error: RowcastError | undefined;
}

/** What has been since `connect`. */
export interface Statistics {
  /** Connections that worked. */
  readonly connections: number;
  /** Changes and messages handed to the application. */
  readonly events: number;
  /** Events of the present subscriptions that came again and were left out. */
  readonly repeated: number;
  /** Times that something had to be read anew. */
  readonly resets: number;
  /** When anything was last heard of the server; milliseconds since 1970. */
  readonly heard: number | undefined;
}

/** Every time and size that can be chosen; times are in milliseconds. */
export interface Limits extends Times, TransportTimes {
  /** How long a connection is kept that nobody wants any more. */
  readonly linger: number;
  /** The largest transaction that is kept together, in events of one subscription. */
  readonly transaction: number;
  /** What waits for an async iterator, in events. */
  readonly queue: number;
}

export const defaultLimits: Limits = {
  backoff: 500, backoffMost: 30_000, stable: 10_000, probe: 15_000, probeMost: 300_000,
  open: 6_000, longPoll: 25_000, poll: 3_000, pollHidden: 30_000, answer: 10_000,
  linger: 3_000, transaction: 100_000, queue: 100_000,
};

export interface Configuration {
  readonly url: string;
  readonly platform: Platform;
  readonly openers: Openers;
  readonly token: TokenProvider | undefined;
  readonly transports: readonly Transport[];
  readonly storage: CursorStorage | undefined;
  readonly limits: Limits;
}

/** One connection to a bridge, shared by all subscriptions; it is there while there are any. Made by `connect`. */
export class Client {
  readonly #given: Configuration;
  readonly #tokens: Tokens;
  readonly #feeds = new Set<Feed>();
  readonly #placed = new Map<string, Feed>();
  readonly #listeners = new Set<(status: Status) => void>();
  readonly #events: Event[] = [];
  readonly #unwatch: () => void;
  #state: State = initial;
  #error: RowcastError | undefined;
  #status: Status = {state: 'idle', transport: undefined, error: undefined};
  #stepping = false;
  #visible = true;
  #wanted: readonly Transport[];
  #session: Session | undefined;
  #used: string | undefined; // the newest token that the connection has
  #connection: Connection | undefined;
  #probe: Connection | undefined;
  #attempt = new AbortController(); // of preparing and reading
  #reading = false;
  #lastWire = 0;
  #cancelAlarm = () => {};
  #cancelLinger = () => {};
  #cancelExpiry = () => {};
  #cancelReading = () => {};
  #counts = {connections: 0, events: 0, resets: 0, heard: undefined as number | undefined};

  /** @internal */
  constructor(given: Configuration) {
    this.#given = given;
    this.#tokens = new Tokens(given.token);
    this.#wanted = given.transports;
    this.#unwatch = given.platform.watch((signal) => this.#signal(signal));
  }

  /** The changes of a table, as PostgreSQL prints its name: `public.orders`, `public."Odd Table"`. */
  table<Row extends object = AnyRow>(table: string): TableQuery<Row> {
    return new TableQuery<Row>(this, {table});
  }

  /** What `rowcast.publish` sends to a channel. */
  channel<Payload = unknown>(channel: string): ChannelQuery<Payload> {
    return new ChannelQuery<Payload>(this, channel);
  }

  get status(): Status {
    return this.#status;
  }

  /** Calls with every new status; returns its undo. */
  onStatus(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  statistics(): Statistics {
    return {...this.#counts, repeated: [...this.#feeds].reduce((sum, {track}) => sum + track.repeated, 0)};
  }

  /** The transports that may be used from now on (what the server offers is the limit): `['poll']` forces polling. */
  use(allowed: readonly Transport[]): void {
    this.#wanted = allowed;
    // As a new beginning, from the same cursors.
    if (this.#feeds.size > 0) {
      this.#dispatch({type: 'unwanted'});
      this.#dispatch({type: 'wanted'});
    }
  }

  /** Ends it for good; nothing is told to anybody after this. */
  close(): void {
    this.#feeds.clear();
    this.#placed.clear();
    this.#cancelLinger();
    this.#unwatch();
    this.#dispatch({type: 'close'});
  }

  /** @internal Subscribes; returns its undo. */
  follow(wish: Wish, sink: Sink, resume?: string): () => void {
    const {storage, limits} = this.#given;
    const stored = storage && resume !== undefined && !sink.rows ? `rowcast:${resume}` : undefined;
    const cursor = stored === undefined ? undefined : storage!.getItem(stored) ?? undefined;
    const feed = new Feed(wish, sink, stored, cursor, limits.transaction);
    if (this.#state.name === 'closed') {
      queueMicrotask(() => sink.error(new RowcastError('closed', 'the client is closed')));
      return () => {};
    }
    this.#feeds.add(feed);
    this.#cancelLinger();
    this.#dispatch({type: 'wanted'});
    if (this.#connection) this.#settle(feed);
    return () => this.#forget(feed);
  }

  /** @internal */
  after(milliseconds: number, call: () => void): () => void {
    return this.#clock.after(milliseconds, call);
  }

  /** @internal */
  get limits(): Limits {
    return this.#given.limits;
  }

  #forget(feed: Feed): void {
    if (!this.#feeds.delete(feed)) return;
    this.#displace(feed);
    if (this.#feeds.size > 0) return;
    this.#cancelLinger();
    this.#cancelLinger = this.#clock.after(this.#given.limits.linger, () => this.#dispatch({type: 'unwanted'}));
  }

  get #clock() {
    return this.#given.platform.clock;
  }

  #signal(signal: Signal): void {
    if (signal === 'visible' || signal === 'hidden') this.#visible = signal === 'visible';
    this.#dispatch({type: signal});
  }

  // --- the machine ---

  // Whatever is told while a step is being carried out has its turn after it.
  #dispatch(event: Event): void {
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#stepping = false;
    }
    this.#tellStatus();
  }

  #step(event: Event): void {
    const {platform, limits} = this.#given;
    const before = this.#state.name;
    const {state, actions} = step(this.#state, event, {now: this.#clock.now(), random: platform.random, times: limits});
    this.#state = state;
    actions.forEach((action) => this.#act(action));
    if (event.type === 'ended') this.#error = event.why;
    if (event.type === 'opened' && before === 'opening') {
      this.#error = undefined;
      ++this.#counts.connections;
    }
    if (state.name === 'closed' && before !== 'closed' && state.why) this.#giveUp(state.why);
  }

  #tellStatus(): void {
    const state = publicState(this.#state);
    const transport = state === 'connecting' || state === 'live' || state === 'polling' ? transportAt(this.#state) : undefined;
    const next = {state, transport, error: this.#error};
    const was = this.#status;
    if (state === was.state && transport === was.transport && next.error === was.error) return;
    this.#status = next;
    for (const listener of [...this.#listeners]) protect(() => listener(next));
  }

  #giveUp(error: RowcastError): void {
    const feeds = [...this.#feeds];
    this.#feeds.clear();
    for (const feed of feeds) protect(() => feed.sink.error(error));
  }

  #act(action: Action): void {
    if (action === 'prepare' || action === 'ask') void this.#prepare(this.#attempt.signal, action === 'ask');
    else if (action === 'drop') this.#drop();
    else if (action === 'refresh') void this.#refresh(this.#attempt.signal);
    else if (action === 'poke') this.#connection?.poke();
    else if (action === 'cancel alarm') this.#cancelAlarm();
    else if ('open' in action) this.#open(action.open);
    else if ('probe' in action) this.#look(action.probe);
    else {
      this.#cancelAlarm();
      this.#cancelAlarm = this.#clock.after(action.alarm, () => this.#dispatch({type: 'alarm'}));
    }
  }

  // `again`: a connection is there, and what was offered is still good where there is no answer.
  async #prepare(signal: AbortSignal, again: boolean): Promise<void> {
    let token = this.#tokens.current;
    try {
      if (!again) token = await this.#tokens.ask();
      signal.throwIfAborted();
      this.#session = await this.#askSession(token, signal);
    } catch (cause) {
      if (signal.aborted) return;
      if (!again) return this.#ended(asError(cause), token);
    }
    if (!signal.aborted) this.#dispatch({type: 'prepared', ladder: this.#ladder(this.#session!)});
  }

  #askSession(token: string | undefined, signal: AbortSignal): Promise<Session> {
    const {platform, url, limits} = this.#given;
    return askSession(platform, url, token, signal, limits.open);
  }

  // What is offered, wanted, and there. The last resort is what is left where nothing is.
  #ladder({offered}: Session): readonly Transport[] {
    const {openers, platform} = this.#given;
    const there = transports.filter((each) => openers[each] && (each !== 'websocket' || platform.openWebSocket));
    const out = there.filter((each) => offered.includes(each) && this.#wanted.includes(each));
    return out.length > 0 ? out : there.slice(-1);
  }

  #open(transport: Transport): void {
    this.#used = this.#tokens.current;
    const connection: Connection = this.#connect(transport, {
      opened: () => this.#connection === connection && this.#opened(transport),
      frame: (frame) => this.#connection === connection && this.#take(frame),
      expiring: (left) => this.#connection === connection && this.#awaitExpiry(left),
      ended: (why) => this.#connection === connection && this.#ended(why, this.#used),
      heard: () => (this.#counts.heard = this.#clock.now()),
    });
    this.#connection = connection;
    for (const feed of this.#feeds) this.#settle(feed);
  }

  #connect(transport: Transport, listener: Listener): Connection {
    const {platform, url, limits, openers} = this.#given;
    return openers[transport]!({
      transport, platform, url, token: this.#tokens.current, heartbeat: this.#session!.heartbeat, times: limits, visible: () => this.#visible,
    }, listener);
  }

  #opened(transport: Transport): void {
    if (transport !== 'websocket') this.#awaitExpiry(this.#left); // there, the server tells
    this.#dispatch({type: 'opened'});
  }

  #ended(why: RowcastError, token: string | undefined): void {
    if (isOfToken(why)) this.#tokens.refuse(token);
    this.#dispatch({type: 'ended', why});
  }

  #drop(): void {
    this.#attempt.abort();
    this.#attempt = new AbortController();
    this.#reading = false;
    this.#cancelReading();
    this.#cancelExpiry();
    const [connection, probe] = [this.#connection, this.#probe];
    this.#connection = this.#probe = undefined;
    connection?.close();
    probe?.close();
    this.#placed.clear();
    for (const feed of this.#feeds) feed.wire = undefined;
  }

  // A second connection that nothing depends on. HTTP has no word without a subscription: one is made, and left.
  #look(transport: Transport): void {
    const feed = [...this.#feeds].find(({wire}) => wire !== undefined);
    const found = (works: boolean) => {
      if (this.#probe !== probe) return;
      this.#probe = undefined;
      probe.close();
      this.#dispatch({type: 'probed', works});
    };
    const probe: Connection = this.#connect(transport, {
      opened: () => found(true), ended: () => found(false), frame: () => {}, expiring: () => {}, heard: () => {},
    });
    this.#probe = probe;
    if (transport === 'websocket') return;
    if (feed) probe.add([{id: 'probe', wish: feed.wish, after: undefined}]);
    else queueMicrotask(() => found(false));
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      const token = await this.#tokens.ask();
      if (signal.aborted) return;
      this.#connection?.authenticate((this.#used = token));
      if (transportAt(this.#state) === 'websocket') return;
      this.#session = await this.#askSession(token, signal);
      if (!signal.aborted) this.#awaitExpiry(this.#left);
    } catch (cause) {
      // The connection lives on with the old token, and is ended by the server when that has expired.
      if (signal.aborted) return;
      this.#error = asError(cause);
      this.#tellStatus();
    }
  }

  get #left(): number {
    return (this.#session?.expires ?? Infinity) * 1000 - this.#clock.now();
  }

  // Early enough, and not again at once where tokens are that short.
  #awaitExpiry(left: number): void {
    this.#cancelExpiry();
    if (left === Infinity) return;
    this.#cancelExpiry = this.#clock.after(Math.max(left - 30_000, left / 2, 500), () => this.#dispatch({type: 'expiring'}));
  }

  // --- the subscriptions ---

  // Brings a feed to where it can go on: reads its rows, or places it on the connection.
  #settle(feed: Feed): void {
    if (feed.reading) {
      this.#read();
      return;
    }
    feed.wire = `${++this.#lastWire}`;
    this.#placed.set(feed.wire, feed);
    this.#connection?.add([{id: feed.wire, wish: feed.wish, after: feed.track.place, anew: feed.anew}]);
  }

  #displace(feed: Feed): void {
    if (feed.wire === undefined) return;
    this.#placed.delete(feed.wire);
    this.#connection?.remove(feed.wire);
    feed.wire = undefined;
  }

  // What it holds is of no use any more.
  #restart(feed: Feed, reason: string): void {
    ++this.#counts.resets;
    this.#displace(feed);
    feed.track.reset();
    this.#save(feed);
    feed.anew = true;
    feed.reading = feed.sink.rows !== undefined;
    if (!feed.reading) protect(() => feed.sink.reset(reason));
    if (this.#feeds.has(feed)) this.#settle(feed);
  }

  #lose(feed: Feed, error: RowcastError): void {
    this.#displace(feed);
    this.#forget(feed);
    protect(() => feed.sink.error(error));
  }

  #take(frame: Frame): void {
    if (frame.type === 'changes') {
      this.#takeChanges(frame);
      return;
    }
    const feed = this.#placed.get(frame.id);
    if (!feed) return; // it was on its way when the feed left
    switch (frame.type) {
      case 'subscribed':
        this.#begin(feed, frame);
        break;
      case 'resync':
        this.#restart(feed, frame.reason);
        break;
      case 'refused':
        this.#refused(feed, frame.error);
        break;
    }
  }

  #begin(feed: Feed, {status, reason, cursor}: Frame & {type: 'subscribed'}): void {
    feed.failures = 0;
    feed.anew = false;
    if (status === 'reset') {
      if (feed.sink.rows) {
        this.#restart(feed, reason ?? 'reset');
        return;
      }
      ++this.#counts.resets;
      feed.track.reset();
      protect(() => feed.sink.reset(reason ?? 'reset'));
      if (!this.#feeds.has(feed)) return;
    }
    feed.track.begin(cursor, status !== 'resumed');
    this.#save(feed);
    if (feed.settled) return;
    feed.settled = true;
    protect(() => feed.sink.live());
  }

  #takeChanges({ids, events, cursor, more, live}: Frame & {type: 'changes'}): void {
    const to = ids
      ? ids.flatMap((id) => this.#placed.get(id) ?? [])
      : [...this.#placed.values()].filter(({track}) => track.live);
    const by = new Map<string, WireEvent[]>();
    for (const event of events) {
      for (const id of event.subs) by.get(id)?.push(event) ?? by.set(id, [event]);
    }
    // First all are moved, then the application is told: it may do whatever it likes then.
    const whole = to.map((feed) => {
      if (live) feed.track.live = true;
      return feed.track.take(by.get(feed.wire!) ?? [], cursor, more);
    });
    to.forEach((feed, index) => {
      const out = whole[index];
      if (!out) this.#restart(feed, 'transaction_too_large');
      else this.#handOver(feed, out);
    });
  }

  #handOver(feed: Feed, events: readonly WireEvent[]): void {
    if (!this.#feeds.has(feed)) return;
    this.#counts.events += events.length;
    if (events.length > 0) protect(() => feed.sink.events(events));
    this.#save(feed);
  }

  #refused(feed: Feed, error: RowcastError): void {
    if (isOfSubscription(error)) {
      this.#lose(feed, error);
      return;
    }
    // Not now, then later.
    this.#displace(feed);
    const connection = this.#connection;
    this.#clock.after(this.#backoff(feed), () => {
      if (this.#connection === connection && this.#feeds.has(feed) && feed.wire === undefined) this.#settle(feed);
    });
  }

  #backoff(feed: Feed): number {
    return backoff(++feed.failures, {now: 0, random: this.#given.platform.random, times: this.#given.limits});
  }

  #save({stored, track: {cursor}}: Feed): void {
    const {storage} = this.#given;
    if (stored !== undefined) protect(() => (cursor === undefined ? storage!.removeItem(stored) : storage!.setItem(stored, cursor)));
  }

  // --- initial rows ---

  // Those that are asked for together are read together, as of the same moment.
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    const {signal} = this.#attempt;
    queueMicrotask(() => void this.#readAll(signal));
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    let alone = false;
    for (;;) {
      if (signal.aborted) return;
      const feeds = [...this.#feeds].filter(({reading}) => reading).slice(0, alone ? 1 : 20);
      if (feeds.length === 0) break;
      try {
        while (feeds.length > 1 && rowsQuery(feeds.map(({wish}) => wish)).length > 6000) feeds.pop(); // a URL may have 8 KB
        await this.#readSome(feeds, signal);
      } catch (cause) {
        if (signal.aborted) return;
        const error = asError(cause);
        if (!isOfSubscription(error)) {
          this.#readLater(feeds[0]!, error.wait);
          return;
        }
        if (feeds.length === 1) this.#lose(feeds[0]!, error);
        alone = true;
      }
    }
    this.#reading = false;
  }

  async #readSome(feeds: readonly Feed[], signal: AbortSignal): Promise<void> {
    const {platform, url, limits} = this.#given;
    const token = this.#tokens.current ?? (await this.#tokens.ask());
    let reading;
    try {
      reading = await readRows(platform, url, feeds.map(({wish}) => wish), token, signal, limits.answer * 12);
    } catch (cause) {
      if (whatNext(asError(cause)) === 'token') this.#tokens.refuse(token);
      throw cause;
    }
    if (signal.aborted) return;
    const {rows, cursor} = reading;
    for (const feed of feeds) {
      feed.reading = false;
      feed.failures = 0;
      feed.track.reset(cursor);
    }
    feeds.forEach((feed, index) => {
      if (!this.#feeds.has(feed)) return;
      protect(() => feed.sink.rows!(rows[index]!));
      // The application may have left, or have closed the client.
      if (this.#feeds.has(feed) && feed.wire === undefined && this.#connection) this.#settle(feed);
    });
  }

  #readLater(first: Feed, wait: number | undefined): void {
    this.#cancelReading = this.#clock.after(wait ?? this.#backoff(first), () => {
      this.#reading = false;
      this.#read();
    });
  }
}
