// Requests to a bridge. What goes wrong is thrown as a RowcastError.
import type {Platform} from '../platform.js';
import {asError, retryAfter, RowcastError} from '../problem.js';
import {isObject} from '../protocol.js';

export interface Asked {
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** For the whole answer, in milliseconds. */
  readonly patience: number;
}

/** What a GET gives, checked. */
export async function getJson<T>(platform: Platform, url: string, {token, signal, patience}: Asked, check: (value: unknown) => T): Promise<T> {
  const given = new AbortController();
  const abort = () => given.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  let late = false;
  const stop = platform.clock.after(patience, () => {
    late = true;
    abort();
  });
  let text;
  try {
    const response = await request(platform, url, token, given.signal, 'application/json');
    text = await response.text();
  } catch (cause) {
    throw late ? new RowcastError('timeout', 'no answer in time') : asError(cause, 'unreachable');
  } finally {
    stop();
    signal.removeEventListener('abort', abort);
  }
  try {
    return check(platform.parse(text));
  } catch (cause) {
    throw asError(cause, 'not_rowcast');
  }
}

/** An answer that succeeded; its body is still to come, and is ended by the signal as well. */
export async function request(platform: Platform, url: string, token: string | undefined, signal: AbortSignal, accept: string): Promise<Response> {
  const headers: Record<string, string> = {Accept: accept};
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  const response = await platform.fetch(url, {headers, signal, cache: 'no-store'});
  if (!response.ok) throw await read(response, platform);
  return response;
}

async function read(response: Response, {parse, clock}: Platform): Promise<RowcastError> {
  const {status} = response;
  const wait = retryAfter(response.headers.get('retry-after'), clock.now());
  const text = await response.text().catch(() => '');
  try {
    const problem = parse(text);
    if (isObject(problem) && typeof problem['code'] === 'string') {
      return new RowcastError(problem['code'], String(problem['detail'] ?? problem['title']), {wait});
    }
  } catch {
    // Not the bridge's words but some intermediary's: below.
  }
  return new RowcastError(status === 401 ? 'token_invalid' : `http_${status}`, `status ${status}, not of rowcast`, {wait});
}
