// Where actions wait: in IndexedDB, which all tabs see and which outlives them, or in whatever an application gives.

/** One action, as it waits. */
export interface Entry<Action> {
  /** Given by the storage; the order in which they are done. */
  readonly order: number;
  readonly id: string;
  /** For the server to know an action again that it has done already; another one where the action was replaced. */
  readonly idempotencyKey: string;
  readonly action: Action;
  /** When it was added; milliseconds since 1970. */
  readonly at: number;
  /** So often it was tried in vain. */
  readonly attempts: number;
  /** And is not tried again before this. */
  readonly notBefore: number;
}

/** Keeps actions, in their order. */
export interface OutboxStorage<Action> {
  /** All, in their order. */
  read(): Promise<readonly Entry<Action>[]>;
  /** Keeps one as the last, unless `admit` throws at those that are there. Nobody else's comes in between. */
  add(entry: Omit<Entry<Action>, 'order'>, admit: (there: readonly Entry<Action>[]) => void): Promise<void>;
  /** In place of the one with its order; nothing, where that has gone meanwhile. */
  replace(entry: Entry<Action>): Promise<void>;
  remove(order: number): Promise<void>;
}

/** For as long as the page lives. */
export class MemoryStorage<Action> implements OutboxStorage<Action> {
  #entries: readonly Entry<Action>[] = [];
  #last = 0;

  async read(): Promise<readonly Entry<Action>[]> {
    return this.#entries;
  }

  async add(entry: Omit<Entry<Action>, 'order'>, admit: (there: readonly Entry<Action>[]) => void): Promise<void> {
    admit(this.#entries);
    this.#entries = [...this.#entries, {...entry, order: ++this.#last}];
  }

  async replace(entry: Entry<Action>): Promise<void> {
    this.#entries = this.#entries.map((each) => (each.order === entry.order ? entry : each));
  }

  async remove(order: number): Promise<void> {
    this.#entries = this.#entries.filter((each) => each.order !== order);
  }
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** A database of its own by name, with one store. */
export class IndexedDbStorage<Action> implements OutboxStorage<Action> {
  readonly #name: string;
  #database: Promise<IDBDatabase> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  read(): Promise<readonly Entry<Action>[]> {
    return this.#in('readonly', (store) => settled(store.getAll() as IDBRequest<Entry<Action>[]>));
  }

  add(entry: Omit<Entry<Action>, 'order'>, admit: (there: readonly Entry<Action>[]) => void): Promise<void> {
    return this.#in('readwrite', async (store) => {
      admit(await settled(store.getAll() as IDBRequest<Entry<Action>[]>));
      await settled(store.add(entry));
    });
  }

  replace(entry: Entry<Action>): Promise<void> {
    return this.#in('readwrite', async (store) => {
      if (await settled(store.count(entry.order))) await settled(store.put(entry));
    });
  }

  remove(order: number): Promise<void> {
    return this.#in('readwrite', async (store) => {
      await settled(store.delete(order));
    });
  }

  // Resolves when it is on disk, as far as the browser says so.
  async #in<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const database = await (this.#database ??= this.#open());
    const transaction = database.transaction('actions', mode, {durability: 'strict'});
    const end = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    end.catch(() => {}); // where `work` fails, that is what is told
    try {
      const out = await work(transaction.objectStore('actions'));
      await end;
      return out;
    } catch (error) {
      if (mode === 'readwrite') try {
        transaction.abort();
      } catch {
        // It has ended by itself: that was the error.
      }
      throw error;
    }
  }

  async #open(): Promise<IDBDatabase> {
    const request = indexedDB.open(this.#name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('actions', {keyPath: 'order', autoIncrement: true});
    try {
      const database = await settled(request);
      // Somebody deletes it, or the browser has closed it: opened again with the next use.
      database.onversionchange = () => database.close();
      database.onclose = () => (this.#database = undefined);
      return database;
    } catch (error) {
      this.#database = undefined;
      throw error;
    }
  }
}
