// What the page asks the bridge for. The token goes along in a header, which no other page can have a browser send.

const name = 'rowcast.admin_token';
let token = sessionStorage.getItem(name);

export const isSignedIn = () => token !== null;

export function signIn(given) {
  token = given;
  sessionStorage.setItem(name, given);
}

export function signOut() {
  token = null;
  sessionStorage.removeItem(name);
}

/** A refusal in the bridge's words, with its `status` and `code`. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `the bridge answered with ${status}`);
    this.status = status;
    this.code = problem.code;
    this.problem = problem;
  }
}

async function request(path, options) {
  const response = await fetch(path, {...options, cache: 'no-store', credentials: 'omit', headers: {...options.headers, authorization: `Bearer ${token}`}});
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) document.dispatchEvent(new CustomEvent('refused', {detail: problem}));
  throw new Refusal(response.status, problem);
}

export const get = async (what, parameters = {}) => {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '' && value !== false && value !== undefined)).toString();
  return (await request(`/admin/${what}${query && `?${query}`}`, {})).json();
};

export const post = async (what, body) =>
  (await request(`/admin/${what}`, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})).json();

export const metrics = async () => (await request('/metrics', {})).text();
