// Why something ended, and what that says about trying again. One table of codes for all transports.

/** What the server, or the network, has to say about a failure. */
export class RowcastError extends Error {
  override readonly name = 'RowcastError';
  /** The server's own word on when to come back, in milliseconds (`reconnect_ms`, `Retry-After`). */
  readonly wait: number | undefined;

  constructor(
    /** The server's (`forbidden`, `unknown_column`, …), or this side's: `unreachable`, `timeout`, `silent`, `not_rowcast`, `token`. */
    readonly code: string,
    message: string,
    {wait, ...options}: ErrorOptions & {readonly wait?: number | undefined} = {},
  ) {
    super(message, options);
    this.wait = wait;
  }
}

/** Whatever was thrown. */
export const asError = (cause: unknown, code = 'internal') =>
  cause instanceof RowcastError ? cause : new RowcastError(code, String(cause), {cause});

/** What came is an intermediary's page, or a server's that is none of rowcast's. */
export const notRowcast = (what: string) => new RowcastError('not_rowcast', what);

// About one subscription: others are not to suffer for it.
const ofSubscription = new Set([
  'bad_filter', 'bad_request', 'forbidden', 'forbidden_column', 'unknown_column', 'unknown_member', 'unknown_table',
  'too_many_rows', 'unsupported',
]);

export const isOfSubscription = ({code}: RowcastError) => ofSubscription.has(code);

/** A cursor is of no use any more. */
export const isReset = ({code}: RowcastError) => code.startsWith('cursor_') || code === 'permissions_changed';

/** The token is not taken (any more). */
export const isOfToken = ({code}: RowcastError) => code.startsWith('token_');

/** Nothing was heard: of the server, or through whatever is in between. */
export const isSilence = ({code}: RowcastError) => code === 'silent' || code === 'timeout';

/** What follows from an error that ended a connection as a whole: with the usual back-off, with a fresh token, or nothing. */
export const whatNext = (error: RowcastError): 'retry' | 'token' | 'never' =>
  isOfToken(error) || error.code === 'subject_changed' ? 'token' : error.code === 'forbidden' ? 'never' : 'retry';

const closeCodes: Readonly<Record<number, string>> = {
  1001: 'shutdown', 1009: 'message_too_large', 1011: 'internal', 4400: 'malformed', 4401: 'token_invalid', 4403: 'forbidden',
  4408: 'no_heartbeat', 4429: 'too_many_messages',
};

/** A WebSocket's close code, where the server gave no reason in words before it. */
export const codeOfClose = (code: number) => closeCodes[code] ?? 'unreachable';

/** `Retry-After`, in milliseconds: seconds or a date. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
