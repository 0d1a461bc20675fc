// What a team that uses Vue has: the same list twice, a fetch function of its own, and what the connection says.
import {connect} from '@rowcast/client';
import {rowcast, useChanges, useConnectionStatus, useHybridUpdates, useRows} from '@rowcast/client/vue';
import {createApp, defineComponent, h, ref} from 'vue';
import type {Item} from '../support/witness.js';

const read = async (): Promise<number> => Number(await (await fetch('/sum')).text());

const List = defineComponent({
  props: {least: {type: Number, required: true}},
  setup(props) {
    const {rows} = useRows<Item>('public.items', () => ({where: {value: {gte: props.least}}, orderBy: 'id'}));
    return () => h('ul', rows.value.map(({id, owner, value}) => h('li', {key: id}, `${id} ${owner} ${value}`)));
  },
});

const Page = defineComponent(() => {
  const least = ref(0);
  const told = ref(0);
  const status = useConnectionStatus();
  const {updates} = useHybridUpdates(read, {watch: ['public.items'], pollingInterval: 200, fallbackDelay: 100});
  useChanges<Item>('public.items', (changes) => (told.value += changes.length), () => ({value: {gte: least.value}}));
  return () => [
    h('output', status.value.state),
    h('button', {onClick: () => (least.value = 5)}, told.value),
    h(List, {least: least.value}),
    h(List, {least: least.value}),
    h('b', {'data-source': updates.value.updateSource}, updates.value.data),
  ];
});

export function start(url: string): void {
  const client = connect({url, limits: {backoff: 100, backoffMost: 500, open: 30_000}});
  const app = createApp(Page);
  Object.assign(window, {client, leave: () => app.unmount()});
  app.use(rowcast(client)).mount(document.body.appendChild(document.createElement('main')));
}
