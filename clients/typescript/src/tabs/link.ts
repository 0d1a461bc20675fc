// A connection that some tab has, as the others see it: a transport like any other.
import {RowcastError} from '@rowcast/client';
import {newId} from '../id.js';
import type {Connection, Listener, Setting, WireSubscription} from '../transports/transport.js';
import type {Tab} from './tab.js';
import {inboxOf, moved, type Failure, type Reply, type Request, type TabChannel} from './words.js';

type Said<Each = Request> = Each extends Request ? Omit<Each, 'link' | 'to'> : never;

/** After so many questions without an answer a leader is frozen, or gone. */
const patience = 3;
/** The leader must know what has been taken before it has sent its fill (`hub.ts`). */
const takenAtOnce = 1000;

const asRowcastError = ({code, message, wait}: Failure) => new RowcastError(code, message, {wait});

export class Link implements Connection {
  readonly id = newId();
  readonly #tab: Tab;
  readonly #setting: Setting;
  readonly #listener: Listener;
  readonly #inbox: TabChannel;
  #leader: string | undefined;
  /** What waits for a leader. */
  #outbox: Said[] = [];
  #unanswered = 0;
  #taken = 0;
  #told = 0; // of those that were taken, so many the leader knows of
  #over = false;
  #stopBeat = () => {};

  constructor(tab: Tab, setting: Setting, listener: Listener) {
    this.#tab = tab;
    this.#setting = setting;
    this.#listener = listener;
    this.#inbox = tab.surroundings.channel(inboxOf(tab.scope, this.id));
    this.#inbox.onmessage = ({data}) => this.#receive(data as Reply);
    tab.enter(this);
    this.#open();
    this.#beat();
  }

  get setting(): Setting {
    return this.#setting;
  }

  add(subscriptions: readonly WireSubscription[]): void {
    this.#say({type: 'add', subscriptions});
  }

  remove(id: string): void {
    this.#say({type: 'remove', id});
  }

  authenticate(token: string | undefined): void {
    if (this.#tab.isFor(token)) this.#say({type: 'authenticate', token});
    else this.end(moved); // another user's, or with other rights: not on the connection of these
  }

  poke(): void {
    if (this.#leader) this.#ask(true);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopBeat();
    this.#post({type: 'close'});
    this.#inbox.close();
    this.#tab.leave(this);
  }

  /** The last word of it. */
  end(why: Failure): void {
    if (this.#over) return;
    this.close();
    this.#listener.ended(asRowcastError(why));
  }

  /** Somebody leads from now on. */
  led(leader: string): void {
    if (this.#leader === undefined) this.#open();
    else if (this.#leader !== leader) this.end(moved);
  }

  #open(): void {
    const {transport, token, heartbeat, visible} = this.#setting;
    this.#post({type: 'open', transport, token, heartbeat, visible: visible()});
  }

  #say(message: Said): void {
    if (this.#leader === undefined) this.#outbox.push(message);
    else this.#post(message);
  }

  #post(message: Said): void {
    this.#tab.post({...message, link: this.id, to: this.#leader} as Request);
  }

  #ask(poke = false): void {
    this.#told = this.#taken;
    this.#post({type: 'ask', taken: this.#taken, visible: this.#setting.visible(), poke});
  }

  // Only timers that ran count: one who was frozen finds the answers that came meanwhile before it has asked so often.
  #beat(): void {
    const {visible, platform} = this.#setting;
    this.#stopBeat = platform.clock.after(this.#tab.beat * (visible() ? 1 : 10), () => {
      if (++this.#unanswered > patience) {
        this.#unanswered = 0;
        this.#tab.takeOver();
      }
      if (this.#leader === undefined) this.#open();
      else this.#ask();
      this.#beat();
    });
  }

  #receive(reply: Reply): void {
    if (this.#over) return;
    if (reply.type === 'welcome' && this.#leader === undefined) this.#leader = reply.leader;
    if (reply.leader !== this.#leader) return;
    this.#unanswered = 0;
    switch (reply.type) {
      case 'welcome':
        for (const message of this.#outbox.splice(0)) this.#post(message);
        break;
      case 'answer':
        if (reply.heard) this.#listener.heard();
        break;
      case 'opened':
        this.#listener.opened();
        break;
      case 'frame':
        this.#count(reply.frame.type === 'changes' ? reply.frame.events.length : 0);
        this.#listener.frame(reply.frame);
        break;
      case 'refused':
        this.#listener.frame({type: 'refused', id: reply.id, error: asRowcastError(reply.why)});
        break;
      case 'expiring':
        this.#listener.expiring(reply.left);
        break;
      case 'ended':
        this.end(reply.why);
        break;
    }
  }

  #count(events: number): void {
    this.#taken += events;
    if (this.#taken - this.#told >= takenAtOnce) this.#ask();
  }
}
