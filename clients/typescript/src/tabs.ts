/**
 * One connection for all tabs of a user: `connect` from here in place of the one from `@rowcast/client`.
 *
 * @packageDocumentation
 */
import {connectWith, openEventStream, openPolling, openWebSocket, type Client, type ConnectOptions, type Openers} from '@rowcast/client';
import {Link} from './tabs/link.js';
import {scopeOf} from './tabs/scope.js';
import {Tab} from './tabs/tab.js';
import type {Surroundings, TabChannel} from './tabs/words.js';
import type {Connection, Listener, Setting} from './transports/transport.js';

export type {Surroundings, TabChannel};

/** What may be chosen of how tabs share. */
export interface TabsOptions extends Partial<Surroundings> {
  /** How often a tab that is looked at asks whether the one with the connection is there, in milliseconds: 1500. Without an answer to three, it takes over. */
  readonly beat?: number;
}

/**
 * Transports whose connections are shared among the tabs (and workers) of this origin whose tokens say the same of the same user. Each tab has its own
 * subscriptions and cursors, as with a connection of its own. Where there are no Web Locks, or no BroadcastChannel, nothing is shared.
 */
export function acrossTabs(openers: Openers, options: TabsOptions = {}): Openers {
  const locks = options.locks ?? (globalThis.navigator as Navigator | undefined)?.locks;
  const channel = options.channel ?? ('BroadcastChannel' in globalThis ? (name: string): TabChannel => new BroadcastChannel(name) : undefined);
  if (!locks || !channel) return openers;
  const tabs = new Map<string, Tab>();
  let broken = false;
  const open = (setting: Setting, listener: Listener): Connection => {
    if (broken) return openers[setting.transport]!(setting, listener);
    const scope = scopeOf(setting.url, setting.token);
    const tab = tabs.get(scope) ?? new Tab(scope, setting.platform.clock, setting.url, openers, {locks, channel}, options.beat ?? 1500, () => (broken = true));
    tabs.set(scope, tab);
    return new Link(tab, setting, listener);
  };
  if ('document' in globalThis) addEventListener('pagehide', () => tabs.forEach((tab) => tab.leaveAll()));
  return Object.fromEntries(Object.keys(openers).map((transport) => [transport, open]));
}

/** `connect`, with one connection for all tabs of a user. */
export const connect = ({tabs, ...options}: ConnectOptions & {readonly tabs?: TabsOptions}): Client =>
  connectWith(acrossTabs({websocket: openWebSocket, sse: openEventStream, longpoll: openPolling, poll: openPolling}, tabs), options);
