/**
 * rowcast for React 18 and later: safe in strict mode, in concurrent rendering, and on a server (where nothing connects).
 *
 * @packageDocumentation
 */
import {UpdateService, type AnyRow, type Change, type Client, type Collection, type Filter, type LiveSnapshot, type Status, type UpdateOptions, type Updates} from '@rowcast/client';
import {createContext, createElement, useContext, useEffect, useMemo, useRef, useSyncExternalStore, type HTMLAttributes, type ReactElement, type ReactNode} from 'react';
import {share, spell, type SharedOptions} from './share.js';

const Context = createContext<Client | undefined>(undefined);

/** Gives a client to all hooks below. The client is yours: made once, outside of rendering. */
export const RowcastProvider = ({client, children}: {readonly client: Client; readonly children?: ReactNode}): ReactElement =>
  createElement(Context.Provider, {value: client}, children);

/** The provider's client. */
export function useClient(): Client {
  const client = useContext(Context);
  if (!client) throw new Error('rowcast: there is no <RowcastProvider> above this component');
  return client;
}

/** How the connection is. */
export function useConnectionStatus(): Status {
  const client = useClient();
  return useSyncExternalStore((tell) => client.onStatus(tell), () => client.status, () => client.status);
}

/** What a component may ask for: what can be compared, so an order is one of columns. */
export type RowsOptions<Row> = SharedOptions<Row>;

/** The rows of a table, current as long as the component is there; and the collection, to write through. */
export function useRows<Row extends object = AnyRow>(table: string, options: RowsOptions<Row> = {}): LiveSnapshot<Row> & {readonly collection: Collection<Row>} {
  const client = useClient();
  const name = spell([table, options]);
  const {collection, subscribe} = useMemo(() => share<Row>(client, table, options, name), [client, name]);
  const snapshot = useSyncExternalStore(subscribe, () => collection.snapshot, () => collection.snapshot);
  return useMemo(() => ({...snapshot, collection}), [snapshot, collection]);
}

/** Calls with the changes of a table, whole transactions at a time, as long as the component is there; always the function of the last rendering. */
export function useChanges<Row extends object = AnyRow>(
  table: string, changes: (changes: readonly Change<Row>[]) => void, {where}: {readonly where?: Filter<Row>} = {},
): void {
  const client = useClient();
  const newest = useRef(changes);
  useEffect(() => {
    newest.current = changes;
  });
  const name = spell(where);
  useEffect(() => {
    const query = client.table<Row>(table);
    return (where ? query.where(where) : query).subscribe({changes: (list) => newest.current(list)});
  }, [client, table, name]);
}

/**
 * For a component that keeps its own way of reading: reads at first, whenever a watched table has changed, and every so often while nobody would
 * tell of changes.
 */
export function useHybridUpdates<Data>(fetchData: () => Promise<Data>, options: UpdateOptions): Updates<Data> & {readonly refresh: () => Promise<void>} {
  const client = useClient();
  const newest = useRef(fetchData);
  useEffect(() => {
    newest.current = fetchData;
  });
  const name = spell(options);
  const service = useMemo(() => new UpdateService<Data>(client, () => newest.current(), options), [client, name]);
  useEffect(() => {
    service.start();
    return () => service.stop();
  }, [service]);
  const snapshot = useSyncExternalStore(
    useMemo(() => (tell: () => void) => service.subscribe(tell), [service]), () => service.snapshot, () => service.snapshot);
  return useMemo(() => ({...snapshot, refresh: () => service.refresh()}), [snapshot, service]);
}

const words = {idle: '', connecting: 'connecting', live: 'live', polling: 'polling', offline: 'offline', reauthenticating: 'signing in', closed: 'closed'} as const;

/** A badge that says how the connection is: `<output class="rowcast-status" data-state="live">live</output>`; its looks are your style sheet's. */
export function ConnectionStatus({className = 'rowcast-status', ...rest}: HTMLAttributes<HTMLOutputElement>): ReactElement {
  const {state, transport} = useConnectionStatus();
  return createElement('output', {...rest, className, 'data-state': state, title: transport}, words[state]);
}
