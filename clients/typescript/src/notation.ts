// A subscription as a URL has it: PostgREST's notation (docs/protocol.md, "Subscriptions in URLs").
import {RowcastError} from './problem.js';
import type {Filter, Scalar, Wish} from './protocol.js';
import {isObject} from './protocol.js';

type Parameter = readonly [name: string, value: string];

// Anything that is no plain word goes in double quotes, where \ takes the next character as it is.
const quote = (text: string) => (/^[\w:+-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`);

// As in SQL.
const quoteName = (name: string) => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

const list = (values: readonly unknown[]) => `(${values.map((each) => quote(String(each))).join()})`;

// operator.value. What URLs have no words for is an error, not something else.
function comparison(operator: string, value: unknown): string {
  if (operator === 'in' || operator === 'nin') return `${operator}.${list(value as readonly Scalar[])}`;
  if (operator === 'is' && value === 'not null') return 'not.is.null';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (text === '' && (operator === 'eq' || operator === 'neq')) return `${operator === 'eq' ? 'in' : 'nin'}.${list([''])}`;
  // There, a * stands for %.
  if (text === '' || (operator === 'is' && value === 'unknown') || (operator.endsWith('like') && text.includes('*'))) {
    throw new RowcastError('bad_filter', `'${operator}' with '${text}' can only be asked for over WebSocket, and without rows`);
  }
  return `${operator}.${quote(text)}`;
}

// Every condition as column.operator.value or a group, to be read inside a group.
function conditions(filter: Filter): string[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === 'and' || name === 'or') return [`${name}(${(value as readonly Filter[]).map(conjunction).join()})`];
    if (name === 'not') return [`not.and(${conditions(value as Filter).join()})`];
    const operators = value === null ? {is: null} : isObject(value) ? value : {eq: value};
    return Object.entries(operators).flatMap(([operator, given]) =>
      given === undefined ? [] : [`${quote(name)}.${comparison(operator, given)}`]);
  });
}

const conjunction = (filter: Filter) => {
  const all = conditions(filter);
  return all.length === 1 ? all[0]! : `and(${all.join()})`;
};

function parameters(wish: Wish): Parameter[] {
  if ('channel' in wish) return [['channel', wish.channel]];
  const {events, columns, old, where} = wish;
  const all = where ? conditions(where) : [];
  return [
    ...(events ? [['events', events.join()] as const] : []),
    ...(columns ? [['columns', columns.map(quoteName).join()] as const] : []),
    ...(old ? [['old', 'true'] as const] : []),
    // One group holds every filter: so a column may have any name.
    ...(all.length ? [['and', `(${all.join()})`] as const] : []),
  ];
}

/** The `sub` parameter of one of several subscriptions: `o:public.orders?and=(status.eq.open)`, to be percent-encoded once more. */
export function subscriptionParameter(id: string, wish: Wish): string {
  const table = 'table' in wish ? encodeURIComponent(wish.table) : '';
  const query = parameters(wish).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `${id}:${table}${query && `?${query}`}`;
}
