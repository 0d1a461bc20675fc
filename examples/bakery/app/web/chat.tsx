// Rooms to join and to leave. Who is not in a room sees nothing of what is said there.
import {useMembers, useMessages, useRooms} from '#data';
import {useEffect, useRef, useState, type FormEvent} from 'react';
import type {Member, Message, Room} from './api.js';
import {useAttempt, useFlash, useFresh} from './hooks.js';
import {useSession} from './session.js';

type Names = ReadonlyMap<number, string>;

const clock = new Intl.DateTimeFormat('en', {hour: '2-digit', minute: '2-digit', hour12: false});

export function Chat({names}: {readonly names: Names}) {
  const {user, api} = useSession();
  const {rows: rooms} = useRooms();
  const {rows: members, state, collection} = useMembers();
  const [chosen, choose] = useState<number>();
  const [problem, attempt] = useAttempt();

  const isIn = (room: Room) => members.some(({room_id, user_id}) => room_id === room.id && user_id === user.id);
  const room = rooms.find(({id}) => id === chosen) ?? rooms.find(isIn) ?? rooms[0];
  const join = ({id}: Room) =>
    attempt(collection.insert({room_id: id, user_id: user.id}, () => api.put(`/rooms/${id}/me`)));
  const leave = ({id}: Room) =>
    attempt(collection.remove({room_id: id, user_id: user.id}, () => api.delete(`/rooms/${id}/me`)));

  return (
    <section className="chat" aria-labelledby="chat">
      <h2 id="chat">Chat</h2>
      <div className="rooms" role="group" aria-label="Rooms">
        {rooms.map((each) =>
          <button key={each.id} type="button" aria-pressed={each === room} data-in={isIn(each)} onClick={() => choose(each.id)}>
            <span aria-hidden="true">{isIn(each) ? '#' : '+ '}</span>{each.name}{!isIn(each) && <span className="unseen">, not joined</span>}
          </button>)}
      </div>
      {problem && <p role="alert" className="problem">{problem}</p>}
      {room && state === 'ready' && (isIn(room)
        ? <Joined key={room.id} room={room} names={names} members={members.filter(({room_id}) => room_id === room.id)} onLeave={() => leave(room)} />
        : <div className="outside">
            <p><b>You are not in #{room.name}.</b></p>
            <p>{room.topic}. What is said there does not reach this browser.</p>
            <button type="button" className="join" onClick={() => join(room)}>Join #{room.name}</button>
          </div>)}
    </section>
  );
}

interface JoinedProps {
  readonly room: Room;
  readonly names: Names;
  readonly members: readonly Member[];
  readonly onLeave: () => void;
}

function Joined({room, names, members, onLeave}: JoinedProps) {
  const {user, api} = useSession();
  const {rows: messages, state, collection} = useMessages(room.id);
  const [text, setText] = useState('');
  const [problem, attempt] = useAttempt();
  const fresh = useFresh(state);
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => void log.current?.scrollTo({top: log.current.scrollHeight}), [messages]);

  const send = (event: FormEvent) => {
    event.preventDefault();
    const body = text.trim();
    if (!body) return;
    const id = crypto.randomUUID();
    const message = {id, room_id: room.id, user_id: user.id, body, sent_at: new Date().toISOString()};
    attempt(collection.insert(message, () => api.put(`/rooms/${room.id}/messages/${id}`, {body})));
    setText('');
  };

  return <>
    <div className="about">
      <p>{room.topic} · <span className="members">{members.map(({user_id}) => names.get(user_id)).join(', ')}</span></p>
      <button type="button" className="leave" onClick={onLeave} aria-label={`Leave #${room.name}`}>Leave</button>
    </div>
    <div ref={log} className="messages" role="log" aria-label={`Messages in #${room.name}`} tabIndex={0}>
      <ol>{messages.map((message) => <Line key={message.id} message={message} name={names.get(message.user_id)} mine={message.user_id === user.id} fresh={fresh} />)}</ol>
    </div>
    {problem && <p role="alert" className="problem">{problem}</p>}
    <form onSubmit={send} className="say">
      <input value={text} onChange={({target}) => setText(target.value)} maxLength={500} placeholder={`Message #${room.name}`} aria-label={`Message #${room.name}`} />
      <button>Send</button>
    </form>
  </>;
}

function Line({message, name, mine, fresh}: {readonly message: Message; readonly name: string | undefined; readonly mine: boolean; readonly fresh: boolean}) {
  const line = useFlash<HTMLParagraphElement>(message.body, fresh);
  return (
    <li data-mine={mine}>
      <small>{mine ? 'you' : name} · {clock.format(new Date(message.sent_at))}</small>
      <p ref={line}>{message.body}</p>
    </li>
  );
}
