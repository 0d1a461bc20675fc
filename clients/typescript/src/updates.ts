// A subscription as an async iteration.
import type {RowcastError} from './problem.js';
import type {Change} from './protocol.js';
import type {SubscribeOptions, TableQuery} from './query.js';

/** What an iteration gives. */
export type Update<Row> =
  | {readonly type: 'rows'; readonly rows: readonly Row[]}
  | {readonly type: 'changes'; readonly changes: readonly Change<Row>[]}
  | {readonly type: 'reset'; readonly reason: string};

/**
 * The rows, then the changes; with `rows: false` the changes only: `for await (const update of updates(query))`. Leaving the loop
 * ends the subscription. Who is too slow for what comes (`limits.queue`) gets the rows anew, or a reset, in place of what waits.
 */
export async function* updates<Row extends object>(
  query: TableQuery<Row>, {rows = true, ...options}: SubscribeOptions & {readonly rows?: boolean} = {},
): AsyncGenerator<Update<Row>, void> {
  let queue: Update<Row>[] = [];
  let waiting = 0; // changes in the queue
  let failure: RowcastError | undefined;
  let wake = () => {};

  const begin = () => query.subscribe({
    // Rows and resets stand for whatever came before.
    ...(rows && {rows: (list) => replace({type: 'rows', rows: list})}),
    reset: (reason) => replace({type: 'reset', reason}),
    changes: (changes) => {
      queue.push({type: 'changes', changes});
      waiting += changes.length;
      if (waiting > query.limits.queue) startOver();
      wake();
    },
    error: (error) => {
      failure = error;
      wake();
    },
  }, options);
  const replace = (...updates: Update<Row>[]) => {
    queue = updates;
    waiting = 0;
    wake();
  };
  const startOver = () => {
    stop();
    replace(...(rows ? [] : [{type: 'reset', reason: 'too_slow'} as const]));
    stop = begin();
  };

  let stop = begin();
  try {
    for (;;) {
      const next = queue.shift();
      if (next?.type === 'changes') waiting -= next.changes.length;
      if (next) yield next;
      else if (failure) throw failure;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
  }
}
