// The REST API, as the page sees it.

export interface User { readonly id: number; readonly name: string; readonly role: 'customer' | 'staff' }
export interface Item { readonly name: string; readonly cents: number }
export type OrderStatus = 'ordered' | 'baking' | 'ready' | 'collected' | 'cancelled';
export interface Order { readonly id: number; readonly user_id: number; readonly item: string; readonly quantity: number; readonly status: OrderStatus; readonly ordered_at: string }
export interface Room { readonly id: number; readonly name: string; readonly topic: string; readonly staff_only: boolean }
export interface Member { readonly room_id: number; readonly user_id: number }
export interface Message { readonly id: string; readonly room_id: number; readonly user_id: number; readonly body: string; readonly sent_at: string }

export class Api {
  readonly #token: string | undefined;

  constructor(token?: string) {
    this.#token = token;
  }

  get = <Answer,>(path: string) => this.#ask<Answer>('GET', path);
  put = (path: string, body: object = {}) => this.#ask<void>('PUT', path, body);
  post = <Answer,>(path: string, body: object) => this.#ask<Answer>('POST', path, body);
  patch = <Answer,>(path: string, body: object) => this.#ask<Answer>('PATCH', path, body);
  delete = (path: string) => this.#ask<void>('DELETE', path);

  async #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const headers = {'content-type': 'application/json', ...(this.#token && {authorization: `Bearer ${this.#token}`})};
    const answer = await fetch(`/api${path}`, {method, headers, ...(body && {body: JSON.stringify(body)})}).catch(() => {
      throw new Error('The bakery cannot be reached.');
    });
    if (!answer.ok) throw new Error(await answer.json().then(({message}) => message, () => answer.statusText));
    return (answer.status === 204 ? undefined : await answer.json()) as Answer;
  }
}
