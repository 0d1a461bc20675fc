// After: the same hooks over rowcast. This file takes the place of ../app/web/data.tsx; nothing else of the page changes.
import {connect, type Client} from '@rowcast/client';
import {ConnectionStatus, RowcastProvider, useRows} from '@rowcast/client/react';
import type {ReactNode} from 'react';
import type {Member, Message, Order, Room, User} from '../app/web/api.js';
import {useSession, type Session} from '../app/web/session.js';

export const useUsers = () => useRows<User>('public.users', {orderBy: 'id'});
export const useOrders = () => useRows<Order>('public.orders', {orderBy: 'id'});
export const useRooms = () => useRows<Room>('public.rooms', {orderBy: 'id'});
export const useMembers = () => useRows<Member>('public.members', {key: ['room_id', 'user_id']});
export const useMessages = (room: number) => useRows<Message>('public.messages', {where: {room_id: room}, orderBy: ['sent_at', 'id']});

export const Status = () => <ConnectionStatus className="status" />;

export const Source = ({children}: {readonly children: ReactNode}) => <RowcastProvider client={clientOf(useSession())}>{children}</RowcastProvider>;

// One for each session, however often it is rendered.
const clients = new WeakMap<Session, Client>();

function clientOf(session: Session): Client {
  // A visitor who blocks WebSockets and allows them again does not want to wait as long as the defaults do.
  const limits = {probe: 4000, probeMost: 6000, backoffMost: 4000};
  const client = clients.get(session) ?? connect({url: LIVE_URL, token: session.token, limits});
  clients.set(session, client);
  return client;
}

/** Where the bridge is; the build fills it in. */
declare const LIVE_URL: string;
