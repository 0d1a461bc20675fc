// Rows in their order, kept so while a few of many change; pure.

/** By a column (`'created_at'`, `'total desc'`), by several, or as a function says. */
export type OrderBy<Row> = ColumnOrder<Row> | readonly ColumnOrder<Row>[] | ((a: Row, b: Row) => number);

type ColumnOrder<Row> = (keyof Row & string) | `${keyof Row & string} desc`;

type Compare<Row> = (a: Row, b: Row) => number;

// As PostgreSQL has it: nulls are larger than everything. Texts go by their code units, in no language's order.
function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

export function comparator<Row>(orderBy: OrderBy<Row> | undefined): Compare<Row> {
  if (typeof orderBy === 'function') return orderBy;
  const parts = (orderBy === undefined ? [] : [orderBy].flat()).map((each) => {
    const text = String(each);
    const descends = text.endsWith(' desc');
    return {column: (descends ? text.slice(0, -5) : text) as keyof Row, sign: descends ? -1 : 1};
  });
  return (a, b) => {
    for (const {column, sign} of parts) {
      const order = compareValues(a[column], b[column]);
      if (order !== 0) return sign * order;
    }
    return 0;
  };
}

/** A row and the text that names it; the text decides where the order does not. */
export interface Named<Row> {
  readonly name: string;
  readonly row: Row;
}

export interface Move<Row> {
  readonly before?: Named<Row>;
  readonly after?: Named<Row>;
}

/** The rows after some of them have changed. Both lists are in order, and neither is the other. */
export function reorder<Row>(rows: readonly Named<Row>[], moves: readonly Move<Row>[], by: Compare<Row>): Named<Row>[] {
  const compare = (a: Named<Row>, b: Named<Row>) => by(a.row, b.row) || compareValues(a.name, b.name);
  // Each single move shifts half of the list; many are cheaper by sorting it.
  if (moves.length > 50 && moves.length > rows.length / 20) {
    const gone = new Set(moves.flatMap(({before}) => before ?? []));
    return [...rows.filter((each) => !gone.has(each)), ...moves.flatMap(({after}) => after ?? [])].sort(compare);
  }
  const out = rows.slice();
  for (const {before, after} of moves) {
    if (before) out.splice(search(out, before, compare), 1);
    if (after) out.splice(search(out, after, compare), 0, after);
  }
  return out;
}

// The first place that is not before `what`.
function search<T>(list: readonly T[], what: T, compare: (a: T, b: T) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle]!, what) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
