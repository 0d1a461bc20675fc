// On a server pages are rendered, and nothing connects.
import assert from 'node:assert/strict';
import test from 'node:test';
import {connect} from '@rowcast/client';
import {connectionStatus, hybridUpdates, rows} from '@rowcast/client/svelte';
import {rowcast, useConnectionStatus, useHybridUpdates, useRows} from '@rowcast/client/vue';
import {get} from 'svelte/store';
import {createSSRApp, defineComponent, h} from 'vue';
import {renderToString} from 'vue/server-renderer';

const unconnected = () => connect({url: 'http://127.0.0.1:1', fetch: () => Promise.reject(new Error('it connects'))});
const read = () => Promise.reject<number>(new Error('it reads'));

test('Vue', async () => {
  const client = unconnected();
  const Page = defineComponent(() => {
    const {rows: list, state} = useRows('public.items');
    const {updates} = useHybridUpdates(read, {watch: ['public.items']});
    const status = useConnectionStatus();
    return () => h('p', `${state.value} ${list.value.length} ${updates.value.loading} ${status.value.state}`);
  });
  assert.equal(await renderToString(createSSRApp(Page).use(rowcast(client))), '<p>loading 0 false idle</p>');
  assert.equal(client.status.state, 'idle');
  await assert.rejects(renderToString(createSSRApp(Page)), /app\.use\(rowcast/);
});

test('Svelte', () => {
  const client = unconnected();
  const items = rows(client, 'public.items');
  assert.deepEqual(get(items), {rows: [], state: 'loading', error: undefined});
  assert.equal(get(hybridUpdates(client, read, {watch: ['public.items']})).loading, false);
  assert.equal(get(connectionStatus(client)).state, 'idle');
  assert.ok(!items.collection.isFollowed);
});
