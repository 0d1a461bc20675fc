/**
 * rowcast as Svelte's stores, for every version of it: `$orders.rows` is current while a component is there; on a server nothing connects.
 *
 * @packageDocumentation
 */
import {UpdateService, type AnyRow, type Client, type Collection, type LiveSnapshot, type Status, type UpdateOptions, type Updates} from '@rowcast/client';
import {share, type SharedOptions} from './share.js';

export type {SharedOptions as RowsOptions};

/** What Svelte means by a store. */
export interface Readable<Value> {
  subscribe(run: (value: Value) => void): () => void;
}

// Rendering on a server subscribes for a moment: there, a store is what it is.
const isServer = !('document' in globalThis);

const store = <Value>(get: () => Value, listen: (tell: () => void) => () => void): Readable<Value> => ({
  subscribe(run) {
    const undo = isServer ? () => {} : listen(() => run(get()));
    run(get());
    return undo;
  },
});

/** How the connection is. */
export const connectionStatus = (client: Client): Readable<Status> => store(() => client.status, (tell) => client.onStatus(tell));

/** The rows of a table; and the collection, to write through. */
export function rows<Row extends object = AnyRow>(
  client: Client, table: string, options: SharedOptions<Row> = {},
): Readable<LiveSnapshot<Row>> & {readonly collection: Collection<Row>} {
  const {collection, subscribe} = share<Row>(client, table, options);
  return {...store(() => collection.snapshot, subscribe), collection};
}

/** For who keeps a way of reading of their own, see `UpdateService`; it reads while anybody is subscribed. */
export function hybridUpdates<Data>(client: Client, fetchData: () => Promise<Data>, options: UpdateOptions): Readable<Updates<Data>> & {readonly refresh: () => Promise<void>} {
  const service = new UpdateService(client, fetchData, options);
  let listeners = 0;
  const listen = (tell: () => void) => {
    const undo = service.subscribe(tell);
    if (++listeners === 1) service.start();
    return () => {
      undo();
      if (--listeners === 0) service.stop();
    };
  };
  return {...store(() => service.snapshot, listen), refresh: () => service.refresh()};
}
