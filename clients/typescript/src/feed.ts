// One subscription of the application, whatever connection it is on at the moment.
import type {RowcastError} from './problem.js';
import type {AnyRow, WireEvent, Wish} from './protocol.js';
import {Track} from './track.js';

/** Whom a feed tells. What is thrown here is the application's, and thrown into its face. */
export interface Sink {
  /** Absent: the application reads the rows by itself, or does not want them. */
  readonly rows?: (rows: readonly AnyRow[]) => void;
  readonly events: (events: readonly WireEvent[]) => void;
  readonly reset: (reason: string) => void;
  readonly error: (error: RowcastError) => void;
  readonly live: () => void;
}

export class Feed {
  readonly track: Track;
  /** Its name on the connection; none where it is not there now. */
  wire: string | undefined;
  /** Its rows are to be read before it can go on. */
  reading: boolean;
  /** After a resync: begins with what is now. */
  anew = false;
  /** Tries in a row that the server could not serve. */
  failures = 0;
  /** The application has been told that it is in its place. */
  settled = false;

  constructor(
    readonly wish: Wish,
    readonly sink: Sink,
    /** Where its cursor is kept across reloads. */
    readonly stored: string | undefined,
    cursor: string | undefined,
    most: number,
  ) {
    this.track = new Track(cursor, most);
    this.reading = sink.rows !== undefined;
  }
}
