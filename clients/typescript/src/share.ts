// One collection for all parts of a page that ask for the same at a time.
import {live, type AnyRow, type Client, type Collection, type LiveOptions} from '@rowcast/client';

const collections = new WeakMap<Client, Map<string, Collection<never>>>();

export interface Shared<Row extends object> {
  readonly collection: Collection<Row>;
  readonly subscribe: (tell: () => void) => () => void;
}

/** What can be compared: so an order is one of columns. */
export type SharedOptions<Row> = Omit<LiveOptions<Row>, 'orderBy' | 'schedule'> & {
  readonly orderBy?: Exclude<LiveOptions<Row>['orderBy'], (a: Row, b: Row) => number>;
};

export const spell = (value: unknown) => JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));

export function share<Row extends object = AnyRow>(client: Client, table: string, options: SharedOptions<Row>, name = spell([table, options])): Shared<Row> {
  const all = collections.get(client) ?? new Map<string, Collection<never>>();
  collections.set(client, all);
  const collection = (all.get(name) as unknown as Collection<Row> | undefined) ?? live<Row>(client, table, options as LiveOptions<Row>);
  return {
    collection,
    // Rendering promises nothing: only who listens is there for others to find.
    subscribe(tell) {
      all.set(name, collection as unknown as Collection<never>);
      const undo = collection.subscribe(tell);
      return () => {
        undo();
        if (!collection.isFollowed && all.get(name) === (collection as unknown)) all.delete(name);
      };
    },
  };
}
