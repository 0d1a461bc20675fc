// Requests to a bridge, and what their failures mean.
import type {Platform} from '../platform.js';
import {ending, retryAfter, RowcastError, type Ending} from '../problem.js';
import {isObject} from '../protocol.js';

/** A request that came to nothing, and what follows for the connection. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(readonly ending: Ending, readonly silent = false) {
    super(ending.error.message);
  }
  get code(): string {
    return this.ending.error.code;
  }
}

export interface Asked {
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** For the whole answer, in milliseconds. */
  readonly patience: number;
}

/** What a GET gives, checked; throws `Refusal`, or `signal`'s reason. */
export async function getJson<T>(platform: Platform, url: string, {token, signal, patience}: Asked, check: (value: unknown) => T): Promise<T> {
  const given = new AbortController();
  const abort = () => given.abort();
  signal.addEventListener('abort', abort);
  const stop = platform.clock.after(patience, abort);
  let text;
  try {
    signal.throwIfAborted();
    const response = await request(platform, url, token, given.signal, 'application/json');
    text = await response.text();
  } catch (cause) {
    signal.throwIfAborted();
    if (given.signal.aborted) throw new Refusal(ending(new RowcastError('timeout', `no answer in ${patience} ms`)), true);
    throw cause instanceof Refusal ? cause : unreachable(cause);
  } finally {
    stop();
    signal.removeEventListener('abort', abort);
  }
  try {
    return check(platform.parse(text));
  } catch (cause) {
    throw cause instanceof Refusal ? cause : notRowcast(cause);
  }
}

/** An answer that succeeded; its body is still to come, and is ended by the signal as well. */
export async function request(platform: Platform, url: string, token: string | undefined, signal: AbortSignal, accept: string): Promise<Response> {
  const headers: Record<string, string> = {Accept: accept};
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  const response = await platform.fetch(url, {headers, signal, cache: 'no-store'});
  if (!response.ok) throw new Refusal(await read(response, platform));
  return response;
}

export const unreachable = (cause: unknown) =>
  new Refusal(ending(new RowcastError('unreachable', 'the bridge cannot be reached', {cause})));

export const notRowcast = (cause: unknown) =>
  new Refusal(ending(new RowcastError('not_rowcast', 'what came is not rowcast', {cause})));

async function read(response: Response, {parse, clock}: Platform): Promise<Ending> {
  const wait = retryAfter(response.headers.get('retry-after'), clock.now());
  const text = await response.text().catch(() => '');
  try {
    const problem = parse(text);
    if (isObject(problem) && typeof problem['code'] === 'string') {
      return ending(new RowcastError(problem['code'], String(problem['detail'] ?? problem['title'] ?? problem['code'])), wait);
    }
  } catch {
    // Not the bridge's words but some intermediary's: below.
  }
  const code = response.status === 401 ? 'token_invalid' : `http_${response.status}`;
  return ending(new RowcastError(code, `the answer has status ${response.status}, and is not rowcast's`), wait);
}
