// Who is signed in. It stands in the address, so that two windows of one browser can be two people.
import {createContext, useContext, useEffect, useState, type ReactNode} from 'react';
import {Api, type User} from './api.js';

export interface Session {
  readonly user: User;
  readonly api: Api;
  /** A fresh token, for whoever needs one. */
  readonly token: () => Promise<string>;
}

const Context = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error('nobody is signed in');
  return session;
}

const login = (id: number) => new Api().post<{user: User; token: string}>('/login', {id});

async function begin(id: number): Promise<Session> {
  const {user, token} = await login(id);
  return {user, api: new Api(token), token: async () => (await login(id)).token};
}

export function SignedIn({children}: {readonly children: ReactNode}) {
  const [who, setWho] = useState(() => Number(location.hash.slice(1)) || 1);
  const [session, setSession] = useState<Session>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    const moved = () => setWho(Number(location.hash.slice(1)) || 1);
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);

  useEffect(() => {
    let wanted = true;
    begin(who).then((began) => wanted && (setSession(began), setProblem(undefined)), (error: Error) => wanted && setProblem(error.message));
    return () => void (wanted = false);
  }, [who]);

  useEffect(() => {
    if (session) document.title = `${session.user.name} · Corner Bakery`;
  }, [session]);

  if (problem) return <p role="alert" className="problem">{problem}</p>;
  return session && <Context.Provider value={session} key={session.user.id}>{children}</Context.Provider>;
}
