// Before: where the page's data comes from. Every table is asked for every five seconds, whether it has changed or not.
import {useCallback, useEffect, useMemo, useState, type ReactNode} from 'react';
import type {Member, Message, Order, Room, User} from './api.js';
import {useSession} from './session.js';

export const useUsers = () => usePolled<User>('/users');
export const useOrders = () => usePolled<Order>('/orders');
export const useRooms = () => usePolled<Room>('/rooms');
export const useMembers = () => usePolled<Member>('/members');
export const useMessages = (room: number) => usePolled<Message>(`/rooms/${room}/messages`);

export const Source = ({children}: {readonly children: ReactNode}) => <>{children}</>;
export const Status = () => <output className="status" data-state="asking">asks every 5 s</output>;

function usePolled<Row>(path: string) {
  const {api} = useSession();
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [state, setState] = useState<'loading' | 'ready'>('loading');

  const read = useCallback(async () => {
    // One that fails is made good by the next one.
    const answer = await api.get<Row[]>(path).catch(() => undefined);
    if (answer) {
      setRows(answer);
      setState('ready');
    }
  }, [api, path]);

  useEffect(() => {
    void read();
    const timer = setInterval(read, 5000);
    return () => clearInterval(timer);
  }, [read]);

  // A write is shown when its answer has come, and everything has been read once more.
  const collection = useMemo(() => {
    const write = async (send: () => Promise<unknown>) => {
      await send();
      await read();
    };
    return {
      insert: (_values: Partial<Row>, send: () => Promise<unknown>) => write(send),
      update: (_key: unknown, _values: Partial<Row>, send: () => Promise<unknown>) => write(send),
      remove: (_key: unknown, send: () => Promise<unknown>) => write(send),
    };
  }, [read]);

  return {rows, state, collection};
}
