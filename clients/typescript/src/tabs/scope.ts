// Who may share a connection: those whose tokens say the same of the same user, at the same bridge.

const version = 1;

/** What makes two tokens of one user different, and nothing else of them. */
const passing = new Set(['exp', 'iat', 'nbf', 'jti']);

/** The name that tabs meet under. It is seen by the page's own origin alone. */
export const scopeOf = (url: string, token: string | undefined): string => `rowcast ${version} ${url} ${token === undefined ? '' : identity(token)}`;

// Compared, not trusted: the bridge decides what a token is worth. A token that cannot be read is shared with nobody who has another.
function identity(token: string): string {
  try {
    const [header, body] = token.split('.', 2).map((part) => JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/'))) as object);
    return JSON.stringify([header, Object.entries(body!).filter(([name]) => !passing.has(name)).sort(([a], [b]) => (a < b ? -1 : 1))]);
  } catch {
    return token;
  }
}
