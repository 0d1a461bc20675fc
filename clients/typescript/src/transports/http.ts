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
  /** For the answer's beginning, in milliseconds. */
  readonly patience: number;
  readonly accept?: string;
}

/** The answer to a GET that succeeded; throws `Refusal`, or `signal`'s reason. */
export async function get(platform: Platform, url: string, {token, signal, patience, accept = 'application/json'}: Asked): Promise<Response> {
  const given = new AbortController();
  const abort = () => given.abort(signal.reason);
  signal.addEventListener('abort', abort);
  const stop = platform.clock.after(patience, () => given.abort(new RowcastError('timeout', `no answer in ${patience} ms`)));
  try {
    signal.throwIfAborted();
    const headers: Record<string, string> = {Accept: accept};
    if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
    const response = await platform.fetch(url, {headers, signal: given.signal, cache: 'no-store'});
    if (response.ok) return response;
    throw new Refusal(await read(response, platform));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    signal.throwIfAborted();
    if (given.signal.aborted) throw new Refusal(ending(given.signal.reason as RowcastError), true);
    throw unreachable(cause);
  } finally {
    stop();
    // An event stream goes on after this, and is ended by its signal then.
    if (accept === 'application/json') signal.removeEventListener('abort', abort);
  }
}

export const unreachable = (cause: unknown) =>
  new Refusal(ending(new RowcastError('unreachable', 'the bridge cannot be reached', {cause})));

/** The body of an answer; throws `Refusal` where it is not what it should be. */
export async function readJson<T>(response: Response, platform: Platform, check: (value: unknown) => T): Promise<T> {
  let text;
  try {
    text = await response.text();
  } catch (cause) {
    throw unreachable(cause);
  }
  try {
    return check(platform.parse(text));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal(ending(new RowcastError('not_rowcast', 'the answer is not one of rowcast', {cause})));
  }
}

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
