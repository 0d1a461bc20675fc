// The rows that are there: GET /v1/rows for several subscriptions as of one moment, and the cursor from which on changes follow.
import {subscriptionParameter} from './notation.js';
import type {Platform} from './platform.js';
import {notRowcast, RowcastError} from './problem.js';
import {isObject, type AnyRow, type Wish} from './protocol.js';
import {getJson} from './transports/http.js';

export interface Reading {
  readonly rows: readonly (readonly AnyRow[])[];
  readonly cursor: string;
}

/** Its length decides how many can be asked for at once. */
export const rowsQuery = (wishes: readonly Wish[]): string =>
  wishes.map((wish, index) => `sub=${encodeURIComponent(subscriptionParameter(`${index}`, onlyRows(wish)))}`).join('&');

/** The rows of each wish, in their order. */
export async function readRows(
  platform: Platform, url: string, wishes: readonly Wish[], token: string | undefined, signal: AbortSignal, patience: number,
): Promise<Reading> {
  return getJson(platform, `${url}/v1/rows?${rowsQuery(wishes)}`, {token, signal, patience}, (value) => {
    if (isObject(value) && isObject(value['error'])) {
      const {code, message} = value['error'];
      throw new RowcastError(String(code), String(message));
    }
    const rows = isObject(value) && isObject(value['rows']) && value['rows'];
    const cursor = isObject(value) && value['cursor'];
    if (!rows || typeof cursor !== 'string') throw notRowcast('no rows');
    return {cursor, rows: wishes.map((_, index) => {
      const list = rows[`${index}`];
      if (!Array.isArray(list)) throw notRowcast('rows are missing');
      return list as AnyRow[];
    })};
  });
}

const onlyRows = (wish: Wish): Wish => {
  if ('channel' in wish) return wish;
  const {table, where, columns} = wish;
  return {table, ...(where && {where}), ...(columns && {columns})};
};
