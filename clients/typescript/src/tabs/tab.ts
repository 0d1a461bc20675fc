// A tab among those of one user: whichever holds the lock has the connections, the others wait for it. The browser gives the lock to the
// next one when a tab is closed or has crashed; from one that does not answer (it is frozen) it is taken.
import type {Clock} from '../platform.js';
import type {Openers} from '../transports/transport.js';
import {Hub} from './hub.js';
import type {Link} from './link.js';
import {scopeOf} from './scope.js';
import type {Announcement, Request, Surroundings, TabChannel} from './words.js';

/** Who reconnects is without a link for a moment, and keeps the lock meanwhile; in milliseconds. */
const rest = 3000;

export class Tab {
  readonly #links = new Set<Link>();
  #channel: TabChannel | undefined;
  #hub: Hub | undefined;
  #standing = false;
  #taking = false;
  #quit = new AbortController();
  #release = () => {};
  #cancelRest = () => {};

  constructor(
    readonly scope: string,
    readonly clock: Clock,
    readonly url: string,
    readonly openers: Openers,
    readonly surroundings: Surroundings,
    /** Between two questions to whoever leads, in milliseconds; ten times as much while nobody looks at the page. */
    readonly beat: number,
    /** The environment does not let tabs know of each other. */
    readonly broken: () => void,
  ) {}

  isFor(token: string | undefined): boolean {
    return scopeOf(this.url, token) === this.scope;
  }

  post(request: Request): void {
    this.#channel?.postMessage(request);
  }

  enter(link: Link): void {
    this.#links.add(link);
    this.#cancelRest();
    if (!this.#channel) {
      this.#channel = this.surroundings.channel(this.scope);
      this.#channel.onmessage = ({data}) => this.#hear(data as Request | Announcement);
    }
    if (!this.#standing) void this.#stand(link);
  }

  leave(link: Link): void {
    this.#links.delete(link);
    this.#rest();
  }

  /** Whoever leads does not answer. */
  takeOver(): void {
    if (this.#hub) return; // it is this tab, and only slow
    this.#taking = true;
    this.#quit.abort();
  }

  /** The page is being left: whoever leads need not find out. */
  leaveAll(): void {
    for (const {id} of this.#links) this.post({type: 'close', link: id});
  }

  #hear(message: Request | Announcement): void {
    if (message.type === 'leads') for (const link of [...this.#links]) link.led(message.leader);
  }

  // Nobody here needs a connection, nor anybody there this tab's.
  #rest(): void {
    this.#cancelRest();
    this.#cancelRest = this.clock.after(rest, () => {
      if (this.#links.size > 0 || this.#hub?.isUsed) return;
      this.#release();
      this.#quit.abort();
      this.#channel?.close();
      this.#channel = undefined;
    });
  }

  // Waits for the lock, leads for as long as it is there, and waits again if it was taken.
  async #stand({setting}: Link): Promise<void> {
    this.#standing = true;
    while (this.#links.size > 0) {
      this.#quit = new AbortController();
      const options = this.#taking ? {steal: true} : {signal: this.#quit.signal};
      this.#taking = false;
      try {
        await this.surroundings.locks.request(this.scope, options, () => {
          this.#hub = new Hub(this.scope, this.openers, setting, this.surroundings, () => this.#rest());
          return new Promise<void>((release) => (this.#release = release));
        });
      } catch (cause) {
        if ((cause as Error).name !== 'AbortError') {
          this.broken();
          for (const link of [...this.#links]) link.end({code: 'moved', message: String(cause), wait: 0});
        }
      }
      this.#hub?.close();
      this.#hub = undefined;
    }
    this.#standing = false;
  }
}
