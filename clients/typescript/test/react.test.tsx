import assert from 'node:assert/strict';
import test from 'node:test';
import {connect, type AnyRow} from '@rowcast/client';
import {ConnectionStatus, RowcastProvider, useHybridUpdates, useRows} from '@rowcast/client/react';
import {renderToString} from 'react-dom/server';

function Rows() {
  const {rows, state} = useRows<AnyRow>('public.items');
  const {data, loading} = useHybridUpdates(async () => 1, {watch: ['public.items']});
  return <p>{state} {rows.length} {String(data)} {String(loading)}</p>;
}

test('on a server it is rendered, and nothing connects', () => {
  const client = connect({url: 'http://127.0.0.1:1', fetch: () => Promise.reject(new Error('it connects'))});
  const html = renderToString(<RowcastProvider client={client}><Rows /><ConnectionStatus /></RowcastProvider>);
  assert.equal(html.replaceAll('<!-- -->', ''), '<p>loading 0 undefined false</p><output class="rowcast-status" data-state="idle"></output>');
  assert.equal(client.status.state, 'idle');
});

test('without a provider it is said what is missing', () => {
  assert.throws(() => renderToString(<Rows />), /RowcastProvider/);
});
