// What a team that uses Svelte has, see SveltePage.svelte.
import {connect} from '@rowcast/client';
import {mount, unmount} from 'svelte';
import SveltePage from './SveltePage.svelte';

export function start(url) {
  const client = connect({url, limits: {backoff: 100, backoffMost: 500, open: 30_000}});
  const page = mount(SveltePage, {target: document.body.appendChild(document.createElement('main')), props: {client}});
  Object.assign(window, {client, leave: () => unmount(page)});
}
