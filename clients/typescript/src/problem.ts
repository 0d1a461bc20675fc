// Why something ended, and what that says about trying again. One table of codes for all transports.

/** What the server, or the network, has to say about a failure. */
export class RowcastError extends Error {
  override readonly name = 'RowcastError';
  constructor(
    /** The server's (`forbidden`, `unknown_column`, …), or this side's: `unreachable`, `silent`, `not_rowcast`, `timeout`, `token`. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The end of a connection, or of an attempt at one. */
export interface Ending {
  readonly error: RowcastError;
  /**
   * `retry`: the usual back-off. `token`: with a fresh token. `never`: the server will not change its mind.
   */
  readonly next: 'retry' | 'token' | 'never';
  /** The server's own word on when to come back, in milliseconds (`reconnect_ms`, `Retry-After`). */
  readonly wait?: number;
}

const needsToken = new Set(['token_missing', 'token_invalid', 'token_expired', 'token_revoked', 'subject_changed']);

// About the whole conversation and for the server, not the moment, to change.
const final = new Set(['forbidden']);

// About one subscription: others are not to suffer for it.
const ofSubscription = new Set([
  'bad_filter', 'bad_request', 'forbidden', 'forbidden_column', 'unknown_column', 'unknown_member', 'unknown_table',
  'too_many_rows', 'unsupported',
]);

/** Codes that say that a cursor is of no use any more. */
export const isReset = (code: string) => code.startsWith('cursor_') || code === 'permissions_changed';

export const isOfSubscription = (code: string) => ofSubscription.has(code);

/** What follows from an error that ends a connection as a whole. */
export function ending(error: RowcastError, wait?: number): Ending {
  const next = needsToken.has(error.code) ? 'token' : final.has(error.code) ? 'never' : 'retry';
  return wait === undefined ? {error, next} : {error, next, wait};
}

const closeCodes: Readonly<Record<number, string>> = {
  1001: 'shutdown', 1009: 'message_too_large', 1011: 'internal', 4400: 'malformed', 4401: 'token_invalid', 4403: 'forbidden',
  4408: 'no_heartbeat', 4429: 'too_many_messages',
};

/** A WebSocket's close code, where the server gave no reason in words before it. */
export const errorOfClose = (code: number, reason: string) =>
  new RowcastError(closeCodes[code] ?? 'unreachable', reason || `the WebSocket was closed with ${code}`);

/** `Retry-After`, in milliseconds: seconds or a date. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
