// For those who keep their own way of reading, and only want to know when: what polls today, with one line more.
import type {Client, Status} from './client.js';
import {protect} from './protect.js';

/** What makes a new reading necessary. */
export interface UpdateOptions {
  /** The tables whose changes make a new reading necessary: `['public.jobs']`. */
  readonly watch: readonly string[];
  /** While nothing tells of changes: how often to read, in milliseconds; 30 s by default. */
  readonly pollingInterval?: number;
  /** How long the connection may be gone before polling begins; 5 s by default. */
  readonly fallbackDelay?: number;
}

/** What made the last reading necessary. */
export type UpdateSource = 'start' | 'change' | 'polling' | 'refresh';

/** What is known at one moment. */
export interface Updates<Data> {
  readonly data: Data | undefined;
  /** Something is being read. */
  readonly loading: boolean;
  /** Of the last reading, where it failed. */
  readonly error: unknown;
  readonly updateSource: UpdateSource | undefined;
  readonly connectionStatus: Status;
}

/** Reads at the start, whenever a watched table has changed, and every so often while nobody would tell. Never twice at a time. */
export class UpdateService<Data> {
  readonly #client: Client;
  readonly #read: () => Promise<Data>;
  readonly #options: UpdateOptions;
  readonly #listeners = new Set<() => void>();
  #snapshot: Updates<Data>;
  #undo: (() => void)[] = [];
  #reading: Promise<void> | undefined;
  #again: UpdateSource | undefined;
  #cancelPoll = () => {};
  #told = true;
  /** A table that may not be watched: nobody will ever tell of its changes. */
  #deaf = false;

  constructor(client: Client, read: () => Promise<Data>, options: UpdateOptions) {
    this.#client = client;
    this.#read = read;
    this.#options = options;
    this.#snapshot = {data: undefined, loading: false, error: undefined, updateSource: undefined, connectionStatus: client.status};
  }

  /** A new object whenever something of it changes. */
  get snapshot(): Updates<Data> {
    return this.#snapshot;
  }

  start(): void {
    if (this.#undo.length > 0) return;
    const missed = () => this.#want('change');
    // `live` too: what was committed between the first reading and that moment is told by nobody.
    this.#undo = this.#options.watch.map((table) => this.#client.table(table).subscribe({changes: missed, reset: missed, live: missed, error: (error) => this.#refused(error)}));
    this.#undo.push(this.#client.onStatus((status) => this.#connection(status)));
    this.#connection(this.#client.status);
    this.#want('start');
  }

  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.#cancelPoll();
    this.#again = undefined;
    this.#told = true;
    this.#deaf = false;
  }

  /** Reads now; resolves when what is there is at least as new as this call. */
  async refresh(): Promise<void> {
    this.#want('refresh');
    while (this.#reading) await this.#reading;
  }

  /** Calls whenever `snapshot` is another one; returns its undo. */
  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Calls with what every reading gives, unless it is the very same; returns its undo. */
  onUpdate(listener: (data: Data, source: UpdateSource) => void): () => void {
    return this.#on(({data, updateSource, loading}, before) => {
      if (before.loading && !loading && data !== undefined && data !== before.data) listener(data, updateSource!);
    });
  }

  /** Calls with every reading that failed; returns its undo. */
  onError(listener: (error: unknown) => void): () => void {
    return this.#on(({error}, before) => error !== undefined && error !== before.error && listener(error));
  }

  /** Calls when the connection is another; returns its undo. */
  onConnectionChange(listener: (status: Status) => void): () => void {
    return this.#on(({connectionStatus}, before) => connectionStatus !== before.connectionStatus && listener(connectionStatus));
  }

  #on(listener: (now: Updates<Data>, before: Updates<Data>) => void): () => void {
    let before = this.#snapshot;
    return this.subscribe(() => {
      const last = before;
      before = this.#snapshot;
      listener(before, last);
    });
  }

  #refused(error: unknown): void {
    this.#set({error});
    this.#deaf = true;
    this.#connection(this.#client.status);
  }

  #connection(status: Status): void {
    if (status !== this.#snapshot.connectionStatus) this.#set({connectionStatus: status});
    const told = !this.#deaf && (status.state === 'live' || status.state === 'polling');
    if (told === this.#told) return;
    this.#told = told;
    this.#cancelPoll();
    // What was missed comes by itself: the subscriptions go on from where they were.
    if (!told) this.#poll(this.#options.fallbackDelay ?? 5000);
  }

  #poll(time: number): void {
    this.#cancelPoll = this.#client.after(time, () => {
      this.#want('polling');
      this.#poll(this.#options.pollingInterval ?? 30_000);
    });
  }

  // What becomes known while something is being read may not be in it: then it is read once more.
  #want(source: UpdateSource): void {
    if (this.#reading) this.#again = source;
    else this.#reading = this.#readAll(source);
  }

  async #readAll(first: UpdateSource): Promise<void> {
    for (let source: UpdateSource | undefined = first; source; source = this.#again) {
      this.#again = undefined;
      this.#set({loading: true});
      let read: Partial<Updates<Data>>;
      try {
        read = {data: await this.#read(), error: undefined, updateSource: source};
      } catch (error) {
        read = {error, updateSource: source};
      }
      // Who has stopped is not told any more.
      this.#set({...(this.#undo.length > 0 && read), loading: false});
    }
    this.#reading = undefined;
  }

  #set(change: Partial<Updates<Data>>): void {
    this.#snapshot = {...this.#snapshot, ...change};
    for (const listener of [...this.#listeners]) protect(listener);
  }
}
