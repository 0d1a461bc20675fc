/**
 * The application's own actions (what it sends to its own server) while there is no network: kept, done in their order, once, by one tab at a time.
 *
 * @packageDocumentation
 */
import {RowcastError} from '@rowcast/client';
import {newId} from './id.js';
import {systemClock, watchBrowser, type Clock, type Signal} from './platform.js';
import {retryAfter} from './problem.js';
import {protect} from './protect.js';
import {IndexedDbStorage, MemoryStorage, type Entry, type OutboxStorage} from './outbox/storage.js';
import type {Surroundings, TabChannel} from './tabs/words.js';

export {IndexedDbStorage, MemoryStorage, type Entry, type OutboxStorage};

/** What `send` throws when the server has understood, and will not do it as it is: trying again is of no use. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  constructor(
    message: string,
    /** What the server said. */
    readonly detail?: unknown,
  ) {
    super(message);
  }
}

/** What becomes of an action that met a conflict: it is given up, tried again later, or another one takes its place in the order. */
export type Resolution<Action> = 'drop' | 'retry' | {readonly replace: Action};

/** How much may wait, for how long, and how often it is tried. */
export interface OutboxLimits {
  /** Actions that wait. */
  readonly actions: number;
  /** All of them as JSON. */
  readonly bytes: number;
  /** What has waited for longer is given up; this and all below in milliseconds. */
  readonly age: number;
  /** The first and the longest pause after a failure; a pause is a random part of it. */
  readonly backoff: number;
  readonly backoffMost: number;
  /** For one try. */
  readonly patience: number;
}

const defaultLimits: OutboxLimits = {
  actions: 1000, bytes: 1_000_000, age: 7 * 24 * 3600_000, backoff: 1000, backoffMost: 60_000, patience: 30_000,
};

/** What an outbox needs to know. */
export interface OutboxOptions<Action, Result> {
  /** Actions that are kept under one name are done together; it says whose they are: `orders of ${user.id}`. */
  readonly name: string;
  /**
   * Does it: resolves when it is done, throws `Conflict` when it never will be, anything else when it is to be tried again (not before `wait`
   * milliseconds, if the error says so). The server is given `idempotencyKey`, since it may have done it already.
   */
  readonly send: (action: Action, how: {readonly idempotencyKey: string; readonly attempts: number; readonly signal: AbortSignal}) => Promise<Result>;
  /** What becomes of an action that met a conflict; given up without this. Nothing else is done meanwhile, and after `2 * patience` another tab tries in its turn. */
  readonly conflict?: (entry: Entry<Action>, error: Conflict) => Resolution<Action> | Promise<Resolution<Action>>;
  /** IndexedDB where there is one, else for as long as the page lives. */
  readonly storage?: OutboxStorage<Action>;
  readonly limits?: Partial<OutboxLimits>;
  /** Web Locks and BroadcastChannel; without them, tabs do not know of each other. */
  readonly locks?: Surroundings['locks'];
  readonly channel?: Surroundings['channel'];
  readonly watch?: (tell: (signal: Signal) => void) => () => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** What waits; a new object whenever something of it changes, in whichever tab. */
export interface OutboxSnapshot<Action> {
  readonly entries: readonly Entry<Action>[];
  /** Why the last try of the first one failed; of this tab's tries. */
  readonly error: unknown;
}

/** An action that is to be done. */
export interface Added<Result> {
  readonly id: string;
  /** It is kept, also if the page is closed now. Rejects with `outbox_full`, or where the storage fails. */
  readonly stored: Promise<void>;
  /** It is done, by whichever tab (another tab's result comes where it can be copied); rejects with the `Conflict`, or with `too_old` or `removed`. Who does not look at it does not have to. */
  readonly done: Promise<Result>;
}

type Said = {readonly type: 'changed'} | {readonly type: 'settled'; readonly id: string; readonly result?: unknown; readonly code?: string; readonly message?: string; readonly detail?: unknown};

/** Actions that wait to be done, in their order; all tabs that give the same name have one. */
export class Outbox<Action, Result = unknown> {
  readonly #options: OutboxOptions<Action, Result>;
  readonly #storage: OutboxStorage<Action>;
  readonly #limits: OutboxLimits;
  readonly #clock: Clock;
  readonly #locks: Surroundings['locks'] | undefined;
  readonly #channel: TabChannel | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<string, {resolve: (result: Result) => void; reject: (error: Error) => void}>();
  readonly #unwatch: () => void;
  readonly #end = new AbortController();
  #snapshot: OutboxSnapshot<Action> = {entries: [], error: undefined};
  #online = true;
  #running = false;
  #again = false;
  #hurry = false;
  #cancelNext = () => {};

  constructor(options: OutboxOptions<Action, Result>) {
    const {name, storage, limits, clock = systemClock, watch = watchBrowser} = options;
    const lockName = `rowcast outbox ${name}`;
    this.#options = options;
    this.#storage = storage ?? ('indexedDB' in globalThis ? new IndexedDbStorage(lockName) : new MemoryStorage());
    this.#limits = {...defaultLimits, ...limits};
    this.#clock = clock;
    this.#locks = options.locks ?? (globalThis.navigator as Navigator | undefined)?.locks;
    const channel = options.channel ?? ('indexedDB' in globalThis && 'BroadcastChannel' in globalThis ? (of: string): TabChannel => new BroadcastChannel(of) : undefined);
    this.#channel = channel?.(lockName);
    if (this.#channel) this.#channel.onmessage = ({data}) => this.#hear(data as Said);
    this.#unwatch = watch((signal) => this.#signal(signal));
    this.#online = (globalThis.navigator as Navigator | undefined)?.onLine !== false;
    this.#run();
  }

  get snapshot(): OutboxSnapshot<Action> {
    return this.#snapshot;
  }

  /** Calls whenever `snapshot` is another one; returns its undo. */
  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Keeps an action (anything that IndexedDB can hold), and does it after those that wait already. */
  add(action: Action): Added<Result> {
    const id = newId();
    const done = new Promise<Result>((resolve, reject) => this.#waiting.set(id, {resolve, reject}));
    done.catch(() => {});
    const stored = this.#storage.add({id, idempotencyKey: newId(), action, at: this.#clock.now(), attempts: 0, notBefore: 0}, (there) => this.#admit(there, action));
    stored.then(() => this.#changed(), (error: Error) => this.#settle({type: 'settled', id, code: 'not_stored', message: String(error)}));
    return {id, stored, done};
  }

  /** Gives up an action that waits. One that is being done is done first; false: it was gone. */
  async remove(id: string): Promise<boolean> {
    let found: Entry<Action> | undefined;
    await this.#exclusively(async () => {
      found = (await this.#storage.read()).find((each) => each.id === id);
      if (found) await this.#finish(found, {type: 'settled', id, code: 'removed', message: 'it was removed'});
    });
    return found !== undefined;
  }

  /** This tab does nothing any more. What waits is kept. */
  close(): void {
    this.#end.abort();
    this.#cancelNext();
    this.#unwatch();
    this.#channel?.close();
    this.#listeners.clear();
  }

  #admit(there: readonly Entry<Action>[], action: Action): void {
    const {actions, bytes} = this.#limits;
    const size = [...there.map((each) => each.action), action].reduce((sum, each) => sum + sizeOf(each), 0);
    if (there.length >= actions || size > bytes) throw new RowcastError('outbox_full', `${there.length} actions wait, of ${actions} and ${bytes} bytes that may`);
  }

  #signal(signal: Signal): void {
    if (signal === 'offline') this.#online = false;
    if (signal === 'online') this.#online = this.#hurry = true;
    if (signal === 'online' || signal === 'visible') this.#run();
  }

  #hear(said: Said): void {
    if (said.type === 'settled') this.#settle(said);
    else this.#run();
  }

  #tell(said: Said): void {
    if (this.#end.signal.aborted) return;
    try {
      this.#channel?.postMessage(said);
    } catch {
      this.#channel?.postMessage({...said, result: undefined, detail: undefined}); // a Response, for one, cannot be copied
    }
  }

  #changed(): void {
    this.#tell({type: 'changed'});
    this.#run();
  }

  // One at a time; who asks meanwhile is served by another round.
  #run(): void {
    void this.#show();
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    void this.#runAll().finally(() => (this.#running = false));
  }

  async #runAll(): Promise<void> {
    while (this.#again && !this.#end.signal.aborted) {
      this.#again = false;
      try {
        if (this.#online) await this.#exclusively(() => this.#work());
      } catch (error) {
        if (this.#end.signal.aborted) return;
        // The storage, or the locks: nothing can be done but trying again.
        this.#set({error});
        this.#schedule(this.#limits.backoffMost);
      }
    }
  }

  #schedule(time: number): void {
    this.#cancelNext();
    this.#cancelNext = this.#clock.after(time, () => this.#run());
  }

  // One try at a time holds the lock: whoever else has it for longer than two may take is frozen.
  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (!this.#locks) return work();
    const name = `rowcast outbox ${this.#options.name}`;
    const wait = new AbortController();
    const give = () => wait.abort();
    const cancel = this.#clock.after(2 * this.#limits.patience, give);
    this.#end.signal.addEventListener('abort', give);
    let began = false;
    try {
      await this.#locks.request(name, {signal: wait.signal}, () => {
        began = true;
        cancel();
        return work();
      });
    } catch (error) {
      if (began || this.#end.signal.aborted) throw error;
      await this.#locks.request(name, {steal: true}, work);
    } finally {
      cancel();
      this.#end.signal.removeEventListener('abort', give);
    }
  }

  // The first one, if it is its time.
  async #work(): Promise<void> {
    const [first] = await this.#storage.read();
    if (!first || !this.#online || this.#end.signal.aborted) return;
    const now = this.#clock.now();
    if (now - first.at > this.#limits.age) {
      await this.#finish(first, {type: 'settled', id: first.id, code: 'too_old', message: `it has waited since ${new Date(first.at).toISOString()}`});
    } else if (first.notBefore > now && !this.#hurry) {
      this.#schedule(first.notBefore - now);
    } else {
      this.#hurry = false;
      await this.#try(first);
    }
  }

  async #try(entry: Entry<Action>): Promise<void> {
    const {id, action, idempotencyKey, attempts} = entry;
    const attempt = new AbortController();
    const {signal} = attempt;
    const given = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const leave = () => attempt.abort();
    this.#end.signal.addEventListener('abort', leave);
    const {patience} = this.#limits;
    const cancel = this.#clock.after(patience, () => attempt.abort(new RowcastError('timeout', `not done in ${patience} ms`)));
    let result: Result;
    try {
      result = await Promise.race([this.#options.send(action, {idempotencyKey, attempts, signal}), given]);
    } catch (error) {
      if (!this.#end.signal.aborted) await this.#failed(entry, error);
      return;
    } finally {
      cancel();
      this.#end.signal.removeEventListener('abort', leave);
    }
    this.#set({error: undefined});
    await this.#finish(entry, {type: 'settled', id, result});
  }

  async #failed(entry: Entry<Action>, error: unknown): Promise<void> {
    this.#set({error});
    const resolution = error instanceof Conflict ? ((await this.#options.conflict?.(entry, error)) ?? 'drop') : 'retry';
    if (resolution === 'drop') {
      const {message, detail} = error as Conflict;
      return this.#finish(entry, {type: 'settled', id: entry.id, code: 'conflict', message, detail});
    }
    if (resolution === 'retry') {
      const attempts = entry.attempts + 1;
      await this.#storage.replace({...entry, attempts, notBefore: this.#clock.now() + this.#pause(attempts, error)});
    } else {
      await this.#storage.replace({...entry, action: resolution.replace, idempotencyKey: newId(), attempts: 0, notBefore: 0});
    }
    this.#changed();
  }

  #pause(attempts: number, error: unknown): number {
    const {backoff, backoffMost} = this.#limits;
    const wait = (error as {wait?: unknown} | null)?.wait;
    return typeof wait === 'number' ? wait : Math.round((this.#options.random ?? Math.random)() * Math.min(backoffMost, backoff * 2 ** Math.min(attempts - 1, 30)));
  }

  async #finish(entry: Entry<Action>, said: Said & {type: 'settled'}): Promise<void> {
    await this.#storage.remove(entry.order);
    this.#settle(said);
    this.#tell(said);
    this.#changed();
  }

  #settle({id, result, code, message, detail}: Said & {type: 'settled'}): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (code === undefined) waiting?.resolve(result as Result);
    else waiting?.reject(code === 'conflict' ? new Conflict(message!, detail) : new RowcastError(code, message!));
  }

  async #show(): Promise<void> {
    try {
      this.#set({entries: await this.#storage.read()});
    } catch (error) {
      this.#set({error});
    }
  }

  #set(change: Partial<OutboxSnapshot<Action>>): void {
    const next = {...this.#snapshot, ...change};
    if (next.error === this.#snapshot.error && alike(next.entries, this.#snapshot.entries)) return;
    this.#snapshot = next;
    for (const listener of [...this.#listeners]) protect(listener);
  }
}

/**
 * What an answer says about the action: passes one that succeeded, throws a `Conflict` for one that will never be done, and another error, with the server's
 * `Retry-After`, for what may be tried again: `send: async (order, {idempotencyKey}) => answered(await fetch(…))`.
 */
export async function answered(response: Response): Promise<Response> {
  const {ok, status} = response;
  if (ok) return response;
  const again = status >= 500 || status === 408 || status === 425 || status === 429 || status === 401;
  const text = await response.text().catch(() => '');
  if (!again) throw new Conflict(`the server answered with ${status}`, {status, body: text});
  throw new RowcastError(`http_${status}`, `the server answered with ${status}`, {wait: retryAfter(response.headers.get('retry-after'), Date.now())});
}

const sizeOf = (action: unknown) => (JSON.stringify(action) ?? '').length;

const alike = (a: readonly Entry<unknown>[], b: readonly Entry<unknown>[]) =>
  a.length === b.length && a.every((each, index) => each.id === b[index]!.id && each.attempts === b[index]!.attempts && each.idempotencyKey === b[index]!.idempotencyKey);
