// What a team that uses React has: a list that is live, one that it still fetches by itself, and one of TanStack Query.
import {connect} from '@rowcast/client';
import {ConnectionStatus, RowcastProvider, useChanges, useHybridUpdates, useRows} from '@rowcast/client/react';
import {useLive} from '@rowcast/client/tanstack-query';
import {QueryClient, QueryClientProvider, useQuery} from '@tanstack/react-query';
import {StrictMode, useState} from 'react';
import {createRoot} from 'react-dom/client';
import type {Item} from '../support/witness.js';

const limits = {backoff: 100, backoffMost: 500, open: 30_000};
const counts = {renders: 0, fetched: 0, queried: 0};
const watch = ['public.items'];

const read = async (): Promise<number> => Number(await (await fetch('/sum')).text());

function Rows({least}: {least: number}) {
  ++counts.renders;
  const {rows, state} = useRows<Item>('public.items', {where: {value: {gte: least}}, orderBy: 'id'});
  return <ul data-state={state}>{rows.map(({id, owner, value}) => <li key={id}>{`${id} ${owner} ${value}`}</li>)}</ul>;
}

function Hybrid() {
  const {data, updateSource} = useHybridUpdates(() => (++counts.fetched, read()), {watch, pollingInterval: 200, fallbackDelay: 100});
  return <b data-source={updateSource}>{data}</b>;
}

function Queried() {
  const {data} = useQuery(useLive({queryKey: ['sum'], queryFn: () => (++counts.queried, read()), refetchInterval: 200}, watch));
  return <i>{data}</i>;
}

function Page() {
  const [least, setLeast] = useState(0);
  const [told, setTold] = useState(0);
  useChanges<Item>('public.items', (changes) => setTold(told + changes.length));
  return <>
    <ConnectionStatus />
    <button onClick={() => setLeast(5)}>{told}</button>
    <Rows least={least} />
    <Rows least={least} />
    <Hybrid />
    <Queried />
  </>;
}

export function start(url: string): void {
  const client = connect({url, limits});
  Object.assign(window, {counts, client});
  const root = createRoot(document.body.appendChild(document.createElement('main')));
  Object.assign(window, {leave: () => root.unmount()});
  root.render(
    <StrictMode>
      <RowcastProvider client={client}>
        <QueryClientProvider client={new QueryClient()}><Page /></QueryClientProvider>
      </RowcastProvider>
    </StrictMode>);
}
