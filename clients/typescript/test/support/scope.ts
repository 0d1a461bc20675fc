/** Whatever lasts for a while, and what is to be undone after it: a test, or a benchmark. */
export interface Scope {
  after(undo: () => unknown): void;
}
