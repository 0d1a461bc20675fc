// Where tokens come from: asked for before every connection, one question at a time, a refused one never used again.
import {RowcastError} from './problem.js';

/** Gives a token, freshly made where the last one may be used up. Nothing: connect without one. */
export type TokenProvider = () => string | null | undefined | Promise<string | null | undefined>;

export class Tokens {
  /** The newest one, as long as the server has not refused it. */
  current: string | undefined;
  #refused: string | undefined;
  #asking: Promise<string | undefined> | undefined;

  constructor(private readonly provider: TokenProvider | undefined) {}

  /** A fresh one; rejects where there is none, or only the one that was refused. */
  ask(): Promise<string | undefined> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
  }

  /** The server does not take it (any more). */
  refuse(token: string | undefined): void {
    if (token === undefined) return;
    this.#refused = token;
    if (this.current === token) this.current = undefined;
  }

  async #ask(): Promise<string | undefined> {
    let token: string | undefined;
    try {
      token = (await this.provider?.()) ?? undefined;
    } catch (cause) {
      throw new RowcastError('token', 'the token provider failed', {cause});
    }
    if (token !== undefined && token === this.#refused) {
      throw new RowcastError('token', 'the token provider gave the refused token');
    }
    return (this.current = token);
  }
}
