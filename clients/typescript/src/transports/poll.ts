// Polling: long, where a request is held until there is something, or plain, every so often.
import {LanesConnection, type Lane} from './lanes.js';
import {pollLane} from './poll_lane.js';
import type {Connection, Listener, Setting} from './transport.js';

export function openPolling(setting: Setting, listener: Listener): Connection {
  return new PollingConnection(setting, listener);
}

class PollingConnection extends LanesConnection {
  protected override get quiet(): number {
    const {transport, times} = this.setting;
    return transport === 'longpoll' ? times.longPoll + times.answer : times.poll / 2;
  }

  protected override carry(lane: Lane): Promise<void> {
    const {transport, times} = this.setting;
    return pollLane(lane, this.setting, transport === 'longpoll' && !lane.crowded ? times.longPoll : 0, () => this.token);
  }
}
