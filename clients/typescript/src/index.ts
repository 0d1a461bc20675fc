/**
 * The client of rowcast: committed PostgreSQL changes, live where it can be and polled where it cannot, each of them once.
 *
 * @packageDocumentation
 */
import type {Client} from './client.js';
import {connectWith, type ConnectOptions} from './connect.js';
import {openPolling} from './transports/poll.js';
import {openEventStream} from './transports/sse.js';
import {openWebSocket} from './transports/websocket.js';

/** A client of the bridge at `url`. It connects with the first subscription, and is gone some seconds after the last. */
export const connect = (options: ConnectOptions): Client =>
  connectWith({websocket: openWebSocket, sse: openEventStream, longpoll: openPolling, poll: openPolling}, options);

export {connectWith, openWebSocket, openEventStream, openPolling, type ConnectOptions};
export type {Client, Limits, Statistics, Status} from './client.js';
export {live, type Collection, type LiveChange, type LiveOptions, type LiveSnapshot, type Written} from './live/collection.js';
export type {OrderBy} from './live/order.js';
export type {ConnectionState, Transport} from './machine.js';
export type {Clock, CursorStorage, Platform, Signal, WebSocketLike} from './platform.js';
export {RowcastError} from './problem.js';
export type {AnyRow, Change, Condition, Filter, Message, Operation, Scalar, TableWish, WireEvent, Wish} from './protocol.js';
export type {ChannelObserver, ChannelQuery, Observer, SubscribeOptions, TableObserver, TableQuery} from './query.js';
export {UpdateService, type UpdateOptions, type Updates, type UpdateSource} from './update_service.js';
export {updates, type Update} from './updates.js';
export type {TokenProvider} from './tokens.js';
export type {Connection, Frame, Listener, Openers, Setting, TransportTimes, WireSubscription} from './transports/transport.js';
