/**
 * rowcast for Vue 3: what a component asks for is current while it is mounted; on a server nothing connects.
 *
 * @packageDocumentation
 */
import {UpdateService, type AnyRow, type Change, type Client, type Collection, type Filter, type LiveSnapshot, type Status, type UpdateOptions, type Updates} from '@rowcast/client';
import {computed, inject, onMounted, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type InjectionKey, type MaybeRefOrGetter, type Plugin, type ShallowRef} from 'vue';
import {share, type SharedOptions} from './share.js';

export type {SharedOptions as RowsOptions};

const key: InjectionKey<Client> = Symbol('rowcast');

/** `app.use(rowcast(client))` gives a client to all functions below. */
export const rowcast = (client: Client): Plugin => ({install: (app) => app.provide(key, client)});

/** The app's client. */
export function useClient(): Client {
  const client = inject(key, undefined);
  if (!client) throw new Error('rowcast: there is no app.use(rowcast(client))');
  return client;
}

/** How the connection is. */
export function useConnectionStatus(): Readonly<ShallowRef<Status>> {
  const client = useClient();
  const status = shallowRef(client.status);
  let undo = () => {};
  onMounted(() => {
    undo = client.onStatus((next) => (status.value = next));
    status.value = client.status;
  });
  onScopeDispose(() => undo());
  return status;
}

type Parts<Row> = {readonly [Part in keyof LiveSnapshot<Row>]: ComputedRef<LiveSnapshot<Row>[Part]>};

/** The rows of a table, as its options say at the time; and the collection, to write through. */
export function useRows<Row extends object = AnyRow>(
  table: MaybeRefOrGetter<string>, options: MaybeRefOrGetter<SharedOptions<Row>> = {},
): Parts<Row> & {readonly collection: ComputedRef<Collection<Row>>} {
  const client = useClient();
  const shared = computed(() => share<Row>(client, toValue(table), toValue(options)));
  const snapshot = shallowRef(shared.value.collection.snapshot);
  onMounted(() => watch(shared, ({collection, subscribe}, _, onCleanup) => {
    const show = () => void (snapshot.value = collection.snapshot);
    onCleanup(subscribe(show));
    show();
  }, {immediate: true}));
  return {
    rows: computed(() => snapshot.value.rows),
    state: computed(() => snapshot.value.state),
    error: computed(() => snapshot.value.error),
    collection: computed(() => shared.value.collection),
  };
}

/** Calls with the changes of a table, whole transactions at a time. */
export function useChanges<Row extends object = AnyRow>(
  table: MaybeRefOrGetter<string>, changes: (changes: readonly Change<Row>[]) => void, where?: MaybeRefOrGetter<Filter<Row> | undefined>,
): void {
  const client = useClient();
  onMounted(() => watch([() => toValue(table), () => toValue(where)] as const, ([name, filter], _, onCleanup) => {
    const query = client.table<Row>(name);
    onCleanup((filter ? query.where(filter) : query).subscribe({changes}));
  }, {immediate: true}));
}

/** For a component that keeps its own way of reading, see `UpdateService`. */
export function useHybridUpdates<Data>(fetchData: () => Promise<Data>, options: UpdateOptions): {readonly updates: Readonly<ShallowRef<Updates<Data>>>; readonly refresh: () => Promise<void>} {
  const service = new UpdateService(useClient(), fetchData, options);
  const updates = shallowRef(service.snapshot);
  service.subscribe(() => (updates.value = service.snapshot));
  onMounted(() => service.start());
  onScopeDispose(() => service.stop());
  return {updates, refresh: () => service.refresh()};
}
