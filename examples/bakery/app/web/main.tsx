// The page: who is signed in, their orders, their rooms.
import {Source, Status, useUsers} from '#data';
import {StrictMode} from 'react';
import {createRoot} from 'react-dom/client';
import {Chat} from './chat.js';
import {Orders} from './orders.js';
import {SignedIn, useSession} from './session.js';
import './main.css';

function Bakery() {
  const {user} = useSession();
  const {rows: users} = useUsers();
  const names = new Map(users.map(({id, name}) => [id, name]));
  return <>
    <header className="top">
      <h1>Corner Bakery</h1>
      <Status />
      <label className="who">
        <span className="unseen">Signed in as</span>
        <select value={user.id} onChange={({target}) => location.replace(`#${target.value}`)}>
          {(users.length > 0 ? users : [user]).map(({id, name, role}) => <option key={id} value={id}>{name}, {role}</option>)}
        </select>
      </label>
    </header>
    <main>
      <Orders names={names} />
      <Chat names={names} />
    </main>
  </>;
}

createRoot(document.body.appendChild(document.createElement('div'))).render(
  <StrictMode>
    <SignedIn>
      <Source><Bakery /></Source>
    </SignedIn>
  </StrictMode>);
