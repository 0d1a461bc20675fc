// What tabs say to each other. All are of one version of this package: its number is in the name of their channel.
import type {Transport} from '../machine.js';
import type {Frame, WireSubscription} from '../transports/transport.js';

/** A RowcastError, as it can be copied from tab to tab. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly wait: number | undefined;
}

/** From a link to whoever leads. `to`: only that leader; one who does not know the link says that it has ended. */
export type Request = {readonly link: string; readonly to?: string | undefined} & (
  | {readonly type: 'open'; readonly transport: Transport; readonly token: string | undefined; readonly heartbeat: number; readonly visible: boolean}
  | {readonly type: 'add'; readonly subscriptions: readonly WireSubscription[]}
  | {readonly type: 'remove'; readonly id: string}
  | {readonly type: 'authenticate'; readonly token: string | undefined}
  /** Whether it is there. `taken`: so many events have come so far. */
  | {readonly type: 'ask'; readonly taken: number; readonly visible: boolean; readonly poke: boolean}
  | {readonly type: 'close'}
);

/** To all: from now on this one has the connection. */
export interface Announcement {
  readonly type: 'leads';
  readonly leader: string;
}

/** From the leader to one link, on a channel of the link's own. */
export type Reply = {readonly leader: string} & (
  | {readonly type: 'welcome'}
  /** `heard`: something came from the server since the last one. */
  | {readonly type: 'answer'; readonly heard: boolean}
  | {readonly type: 'opened'}
  | {readonly type: 'frame'; readonly frame: Exclude<Frame, {type: 'refused'}>}
  | {readonly type: 'refused'; readonly id: string; readonly why: Failure}
  | {readonly type: 'expiring'; readonly left: number}
  | {readonly type: 'ended'; readonly why: Failure}
);

/** The part of `BroadcastChannel` that is used. */
export interface TabChannel {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** What of the environment tabs need. */
export interface Surroundings {
  readonly locks: Pick<LockManager, 'request'>;
  readonly channel: (name: string) => TabChannel;
}

/** Another tab has the connection now, or another one has to be made: at once, from the same cursor. */
export const moved: Failure = {code: 'moved', message: 'the connection is another tab\'s now', wait: 0};

export const inboxOf = (scope: string, link: string) => `${scope} ${link}`;
