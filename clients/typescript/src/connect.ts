import {Client, defaultLimits, type Limits} from './client.js';
import {transports, type Transport} from './machine.js';
import {systemClock, watchBrowser, type Clock, type CursorStorage, type Platform, type Signal, type WebSocketLike} from './platform.js';
import type {TokenProvider} from './tokens.js';
import type {Openers} from './transports/transport.js';

/** Where a client connects, as whom, and with what. */
export interface ConnectOptions {
  /** Where the bridge is: `https://live.example.com`, or a path on the page's own host. */
  readonly url: string | URL;
  /** Gives a token; asked before every connection, and when one is about to expire. Absent: connect without one. */
  readonly token?: TokenProvider;
  /** Which transports may be used; all that the server offers by default. */
  readonly transports?: readonly Transport[];
  /** Where cursors are kept across reloads, for subscriptions that name a `resume`; `localStorage` fits. */
  readonly storage?: CursorStorage;
  readonly limits?: Partial<Limits>;
  /** For environments that do not have it, or have a better one: Node before 22 has no WebSocket, the package `ws` fits. */
  readonly WebSocket?: new (url: string, protocol: string) => WebSocketLike;
  readonly fetch?: Platform['fetch'];
  /** In place of `JSON.parse`, where numbers have more digits than JavaScript's. */
  readonly parse?: (text: string) => unknown;
  /** Calls when the network comes and goes and the page is looked at or not, and returns its undo; the browser's events by default. */
  readonly watch?: (tell: (signal: Signal) => void) => () => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** `connect` with the transports of one's choice: `connectWith({websocket: openWebSocket}, …)` is all that a bundle has then. */
export function connectWith(openers: Openers, options: ConnectOptions): Client {
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as ConnectOptions['WebSocket'] | undefined);
  return new Client({
    url: resolve(options.url),
    openers,
    token: options.token,
    transports: options.transports ?? transports,
    storage: options.storage,
    limits: {...defaultLimits, ...options.limits},
    platform: {
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      openWebSocket: WebSocket && ((url, protocol) => new WebSocket(url, protocol)),
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      watch: options.watch ?? watchBrowser,
      parse: options.parse ?? JSON.parse,
    },
  });
}

function resolve(url: string | URL): string {
  const page = (globalThis.location as Location | undefined)?.href;
  const {protocol, host, pathname} = new URL(url, page);
  return `${protocol.replace(/^ws/, 'http')}//${host}${pathname.replace(/\/$/, '')}`;
}
