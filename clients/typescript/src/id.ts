/** Unlike the others, and no secret: Node 18 and pages without HTTPS have no `randomUUID`. */
export const newId = (): string =>
  (globalThis.crypto as Partial<Crypto> | undefined)?.randomUUID?.() ?? Array.from({length: 4}, () => Math.random().toString(36).slice(2)).join('');
