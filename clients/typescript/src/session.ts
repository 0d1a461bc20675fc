// What the server offers this user: GET /v1/session.
import {transports, type Transport} from './machine.js';
import type {Platform} from './platform.js';
import {notRowcast, RowcastError} from './problem.js';
import {isObject} from './protocol.js';
import {getJson} from './transports/http.js';

export interface Session {
  readonly offered: readonly Transport[];
  /** Milliseconds. */
  readonly heartbeat: number;
  /** When the token ends, in seconds since 1970. */
  readonly expires?: number;
}

const unasked: Session = {offered: transports, heartbeat: 25_000};

/** A server that has no such resource offers everything. */
export function askSession(
  platform: Platform, url: string, token: string | undefined, signal: AbortSignal, patience: number,
): Promise<Session> {
  return getJson(platform, `${url}/v1/session`, {token, signal, patience}, (value): Session => {
    if (!isObject(value) || !Array.isArray(value['transports'])) throw notRowcast('no transports');
    const names: readonly unknown[] = value['transports'];
    const {heartbeat, expires} = value;
    return {
      // The server's `poll` has two ways of being used.
      offered: transports.filter((each) => names.includes(each === 'longpoll' ? 'poll' : each)),
      heartbeat: typeof heartbeat === 'number' ? heartbeat * 1000 : unasked.heartbeat,
      ...(typeof expires === 'number' && {expires}),
    };
  }).catch((cause) => {
    if (cause instanceof RowcastError && (cause.code === 'http_404' || cause.code === 'not_found')) return unasked;
    throw cause;
  });
}
