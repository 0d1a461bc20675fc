// The tab that has the connections: one for each transport in use (more, where a session has no room for all), and every tab's subscriptions on it.
import {newId} from '../id.js';
import type {Transport} from '../machine.js';
import {isOfToken, type RowcastError} from '../problem.js';
import type {WireEvent} from '../protocol.js';
import type {Connection, Frame, Openers, Setting} from '../transports/transport.js';
import {inboxOf, moved, type Announcement, type Failure, type Reply, type Request, type Surroundings, type TabChannel} from './words.js';

type Answer<Each = Reply> = Each extends Reply ? Omit<Each, 'leader'> : never;

/** Events that a tab may be behind before it is left; it comes back when it can, from its own cursor. */
const mostUntaken = 100_000;
/** A tab that has not asked for so long is gone, or frozen. Timers of hidden pages may run once a minute. */
const longestSilence = 200_000;

/** One link of some tab. */
interface Far {
  readonly number: number;
  readonly inbox: TabChannel;
  readonly trunk: Trunk;
  /** Its subscriptions, as the connection knows them. */
  readonly ids: Set<string>;
  token: string | undefined;
  visible: boolean;
  asked: number;
  sent: number;
  taken: number;
  heard: boolean;
}

/** One real connection. */
interface Trunk {
  readonly transport: Transport;
  readonly fars: Set<Far>;
  readonly connection: Connection;
  /** The newest one that it has been given. */
  token: string | undefined;
  opened: boolean;
  /** The server takes no more subscriptions on it. */
  full: boolean;
}

const asFailure = ({code, message, wait}: RowcastError): Failure => ({code, message, wait});

export class Hub {
  readonly #id = newId();
  readonly #scope: string;
  readonly #openers: Openers;
  readonly #setting: Setting;
  readonly #surroundings: Surroundings;
  readonly #unused: () => void;
  readonly #channel: TabChannel;
  readonly #fars = new Map<string, Far>();
  readonly #trunks = new Set<Trunk>();
  #last = 0;

  /** `unused`: called when the last link has gone. */
  constructor(scope: string, openers: Openers, setting: Setting, surroundings: Surroundings, unused: () => void) {
    this.#scope = scope;
    this.#openers = openers;
    this.#setting = setting;
    this.#surroundings = surroundings;
    this.#unused = unused;
    this.#channel = surroundings.channel(scope);
    this.#channel.onmessage = ({data}) => this.#take(data as Request | Announcement);
    this.#channel.postMessage({type: 'leads', leader: this.#id} satisfies Announcement);
  }

  get isUsed(): boolean {
    return this.#fars.size > 0;
  }

  /** The lock is another's, or nobody needs this one any more. */
  close(): void {
    this.#channel.close();
    for (const {connection} of this.#trunks) connection.close();
    this.#trunks.clear();
    for (const far of this.#fars.values()) this.#tell(far, {type: 'ended', why: moved});
    for (const far of this.#fars.values()) far.inbox.close();
    this.#fars.clear();
  }

  #take(request: Request | Announcement): void {
    if (request.type === 'leads') {
      if (request.leader !== this.#id) this.close(); // this tab was frozen, and has lost the lock meanwhile
      return;
    }
    if (request.to !== undefined && request.to !== this.#id) return;
    this.#leaveSilent();
    const far = this.#fars.get(request.link);
    if (request.type === 'open') {
      if (!far) this.#welcome(request);
    } else if (far) {
      this.#serve(request, far);
    } else if (request.type !== 'close') {
      const inbox = this.#surroundings.channel(inboxOf(this.#scope, request.link));
      inbox.postMessage({type: 'ended', leader: this.#id, why: moved} satisfies Reply);
      inbox.close();
    }
  }

  #welcome({link, transport, token, heartbeat, visible}: Request & {type: 'open'}): void {
    const trunk = [...this.#trunks].find((each) => each.transport === transport && !each.full) ?? this.#dig(transport, token, heartbeat);
    const far: Far = {
      number: ++this.#last, inbox: this.#surroundings.channel(inboxOf(this.#scope, link)), trunk, ids: new Set(),
      token, visible, asked: this.#now, sent: 0, taken: 0, heard: false,
    };
    this.#fars.set(link, far);
    trunk.fars.add(far);
    this.#tell(far, {type: 'welcome'});
    if (trunk.opened) this.#tell(far, {type: 'opened'});
  }

  #serve(request: Exclude<Request, {type: 'open'}>, far: Far): void {
    const {trunk} = far;
    switch (request.type) {
      case 'add': {
        const subscriptions = request.subscriptions.map((each) => ({...each, id: `${far.number}.${each.id}`}));
        for (const {id} of subscriptions) far.ids.add(id);
        trunk.connection.add(subscriptions);
        break;
      }
      case 'remove': {
        const id = `${far.number}.${request.id}`;
        if (far.ids.delete(id)) trunk.connection.remove(id);
        break;
      }
      case 'authenticate':
        far.token = trunk.token = request.token;
        trunk.connection.authenticate(request.token);
        break;
      case 'ask':
        Object.assign(far, {asked: this.#now, taken: request.taken, visible: request.visible});
        if (request.poke) trunk.connection.poke();
        this.#tell(far, {type: 'answer', heard: far.heard});
        far.heard = false;
        break;
      case 'close':
        this.#drop(far);
        break;
    }
  }

  get #now(): number {
    return this.#setting.platform.clock.now();
  }

  #tell(far: Far, answer: Answer): void {
    far.inbox.postMessage({...answer, leader: this.#id} as Reply);
  }

  #leave(far: Far, why: Failure): void {
    this.#tell(far, {type: 'ended', why});
    this.#drop(far);
  }

  #drop(far: Far): void {
    const {trunk, ids, inbox} = far;
    for (const [link, each] of this.#fars) if (each === far) this.#fars.delete(link);
    inbox.close();
    trunk.fars.delete(far);
    if (this.#trunks.has(trunk)) {
      if (trunk.fars.size > 0) {
        for (const id of ids) trunk.connection.remove(id);
      } else {
        this.#trunks.delete(trunk);
        trunk.connection.close();
      }
    }
    if (this.#fars.size === 0) this.#unused();
  }

  #leaveSilent(): void {
    for (const far of [...this.#fars.values()]) if (this.#now - far.asked > longestSilence) this.#leave(far, moved);
  }

  #dig(transport: Transport, token: string | undefined, heartbeat: number): Trunk {
    const fars = new Set<Far>();
    const isUsed = () => this.#trunks.has(trunk);
    const connection = this.#openers[transport]!(
      {...this.#setting, transport, token, heartbeat, visible: () => [...fars].some(({visible}) => visible)},
      {
        opened: () => {
          if (!isUsed()) return;
          trunk.opened = true;
          for (const far of fars) this.#tell(far, {type: 'opened'});
        },
        frame: (frame) => isUsed() && this.#lead(frame, trunk),
        // Whose token it is has another one soonest.
        expiring: (left) => fars.forEach((far) => far.token === trunk.token && this.#tell(far, {type: 'expiring', left})),
        ended: (why) => isUsed() && this.#ended(trunk, why),
        heard: () => fars.forEach((far) => (far.heard = true)),
      });
    const trunk: Trunk = {transport, fars, connection, token, opened: false, full: false};
    this.#trunks.add(trunk);
    return trunk;
  }

  // A token that was refused is no reason to doubt the others'.
  #ended(trunk: Trunk, why: RowcastError): void {
    this.#trunks.delete(trunk);
    for (const far of [...trunk.fars]) this.#leave(far, isOfToken(why) && far.token !== trunk.token ? moved : asFailure(why));
  }

  #lead(frame: Frame, trunk: Trunk): void {
    if (frame.type === 'changes') {
      this.#leadChanges(frame, trunk);
      return;
    }
    const [far, id] = this.#owner(frame.id, trunk);
    if (!far) return;
    if (frame.type !== 'subscribed') far.ids.delete(frame.id);
    if (frame.type === 'refused' && frame.error.code === 'too_many_subscriptions' && trunk.fars.size > 1) {
      trunk.full = true;
      this.#leave(far, moved); // to another one
    } else if (frame.type === 'refused') this.#tell(far, {type: 'refused', id, why: asFailure(frame.error)});
    else this.#tell(far, {type: 'frame', frame: {...frame, id}});
  }

  // To each what is its own. Without ids all subscriptions move that are live, and so all tabs are told, also of nothing but the cursor.
  #leadChanges({ids, events, ...rest}: Frame & {type: 'changes'}, trunk: Trunk): void {
    const shares = new Map<Far, {ids: string[]; events: WireEvent[]}>();
    if (!ids) for (const far of trunk.fars) shares.set(far, {ids: [], events: []});
    for (const [far, own] of this.#byOwner(ids ?? [], trunk)) shares.set(far, {ids: own, events: []});
    for (const event of events) {
      for (const [far, subs] of this.#byOwner(event.subs, trunk)) shares.get(far)?.events.push({...event, subs});
    }
    for (const [far, share] of shares) {
      far.sent += share.events.length;
      if (far.sent - far.taken > mostUntaken) this.#leave(far, moved);
      else this.#tell(far, {type: 'frame', frame: {...rest, events: share.events, ...(ids && {ids: share.ids})}});
    }
  }

  #byOwner(ids: readonly string[], trunk: Trunk): Map<Far, string[]> {
    const out = new Map<Far, string[]>();
    for (const each of ids) {
      const [far, id] = this.#owner(each, trunk);
      if (far) out.get(far)?.push(id) ?? out.set(far, [id]);
    }
    return out;
  }

  #owner(id: string, {fars}: Trunk): [far: Far | undefined, id: string] {
    const dot = id.indexOf('.');
    const number = Number(id.slice(0, dot));
    for (const far of fars) if (far.number === number) return [far, id.slice(dot + 1)];
    return [undefined, id];
  }
}
