// A customer orders and sees how far it is; the staff see everybody's orders and take them on.
import {useOrders} from '#data';
import {useEffect, useState} from 'react';
import type {Item, Order, OrderStatus} from './api.js';
import {useAttempt, useFlash, useFresh} from './hooks.js';
import {useSession} from './session.js';

type Names = ReadonlyMap<number, string>;

const stages: readonly OrderStatus[] = ['ordered', 'baking', 'ready', 'collected'];
const next: {readonly [status in OrderStatus]?: {readonly status: OrderStatus; readonly label: string}} = {
  ordered: {status: 'baking', label: 'Start baking'},
  baking: {status: 'ready', label: 'It is ready'},
  ready: {status: 'collected', label: 'Hand over'},
};
const isOver = ({status}: Order) => status === 'collected' || status === 'cancelled';
const clock = new Intl.DateTimeFormat('en', {hour: '2-digit', minute: '2-digit', hour12: false});

export function Orders({names}: {readonly names: Names}) {
  const {user, api} = useSession();
  const {rows, state, collection} = useOrders();
  const [problem, attempt] = useAttempt();
  const fresh = useFresh(state);

  const place = (item: string) => {
    const order = {item, quantity: 1};
    attempt(collection.insert({...order, user_id: user.id, status: 'ordered', ordered_at: new Date().toISOString()}, async () => {
      const {id} = await api.post<Order>('/orders', order);
      return {key: {id}};
    }));
  };
  const move = ({id}: Order, status: OrderStatus) =>
    attempt(collection.update(id, {status}, async () => void (await api.patch(`/orders/${id}`, {status}))));

  const newest = [...rows].reverse();
  const show = (order: Order, index: number) =>
    <OrderRow key={order.id ?? `draft ${index}`} order={order} fresh={fresh} customer={names.get(order.user_id)} onMove={(status) => move(order, status)} />;
  return (
    <section className="orders" aria-labelledby="orders">
      <h2 id="orders">{user.role === 'staff' ? 'All orders' : 'Your orders'}</h2>
      {user.role === 'customer' && <Menu onOrder={place} />}
      {problem && <p role="alert" className="problem">{problem}</p>}
      <ul aria-label="Open">{newest.filter((order) => !isOver(order)).map(show)}</ul>
      {state === 'ready' && newest.every(isOver) && <p className="none">Nothing is open.</p>}
      <ul aria-label="Done" className="over">{newest.filter(isOver).slice(0, 5).map(show)}</ul>
    </section>
  );
}

function Menu({onOrder}: {readonly onOrder: (item: string) => void}) {
  const {api} = useSession();
  const [items, setItems] = useState<readonly Item[]>([]);
  useEffect(() => void api.get<Item[]>('/items').then(setItems, () => {}), [api]);
  return (
    <div className="menu" role="group" aria-label="Order">
      {items.map(({name, cents}) => <button key={name} type="button" onClick={() => onOrder(name)}>{name} <small>€{(cents / 100).toFixed(2)}</small></button>)}
    </div>
  );
}

interface OrderRowProps {
  readonly order: Order;
  readonly fresh: boolean;
  readonly customer: string | undefined;
  readonly onMove: (status: OrderStatus) => void;
}

function OrderRow({order, fresh, customer, onMove}: OrderRowProps) {
  const {user} = useSession();
  const {id, item, quantity, status, ordered_at} = order;
  const row = useFlash<HTMLLIElement>(`${status} ${quantity}`, fresh);
  const step = user.role === 'staff' ? next[status] : status === 'ordered' && id ? {status: 'cancelled' as const, label: 'Cancel'} : undefined;
  return (
    <li ref={row} className="order" data-order={id} data-status={status}>
      <p className="what"><b>{quantity > 1 && `${quantity} × `}{item}</b><small>{id ? `no. ${id}` : 'sending'} · {user.role === 'staff' && customer ? `${customer}, ` : ''}{clock.format(new Date(ordered_at))}</small></p>
      <p className="how">
        <span className="steps" aria-hidden="true">{stages.map((each, index) => <i key={each} data-done={index <= stages.indexOf(status)} />)}</span>
        <span className="pill" role="status"><span className="unseen">{item}: </span>{status}</span>
      </p>
      {step && <button type="button" className="step" onClick={() => onMove(step.status)} aria-label={`${step.label}: order ${id}`}>{step.label}</button>}
    </li>
  );
}
