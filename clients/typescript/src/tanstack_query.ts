/**
 * TanStack Query, kept current by rowcast: an existing hook that polls becomes live by one line, and polls again while it is not.
 *
 * @packageDocumentation
 */
import type {Client} from '@rowcast/client';
import {useClient, useConnectionStatus} from '@rowcast/client/react';
import {hashKey, useQueryClient, type QueryClient, type QueryKey} from '@tanstack/react-query';
import {useEffect} from 'react';

/** Has a cache read a query again (if anybody looks at it) whenever one of the tables has changed; returns its undo. */
export function keepCurrent(queries: QueryClient, client: Client, queryKey: QueryKey, watch: readonly string[]): () => void {
  // Cancelling what is under way is right: it may have been read before the change.
  const stale = () => void queries.invalidateQueries({queryKey, exact: true});
  // `live` too: what was committed between the first reading and that moment is told by nobody.
  const undo = watch.map((table) => client.table(table).subscribe({changes: stale, reset: stale, live: stale}));
  return () => undo.forEach((each) => each());
}

/**
 * The options of a `useQuery` that polls, for one that does not while changes are told:
 * `useQuery(useLive({queryKey, queryFn, refetchInterval: 5000}, ['public.jobs']))`.
 */
export function useLive<Options extends {readonly queryKey: QueryKey; readonly refetchInterval?: unknown}>(options: Options, watch: readonly string[]): Options {
  const client = useClient();
  const queries = useQueryClient();
  const {state} = useConnectionStatus();
  const {queryKey} = options;
  useEffect(() => keepCurrent(queries, client, queryKey, watch), [queries, client, hashKey(queryKey), watch.join()]);
  return state === 'live' || state === 'polling' ? {...options, refetchInterval: false} : options;
}
