// A small honest client of rowcast.v1: connects, authenticates, subscribes, remembers the cursors, and after any
// interruption goes on from them. It gives up only where coming back cannot help (a refused rule, a malformed message).

const SHORTEST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

/**
 * States: connecting, live, catching-up, waiting (until the next try), cut (by the user), failed.
 *
 * Calls `on.state(name, detail)`, `on.events(events, {caughtUp})` with what arrived together, `on.restart(subscription)`
 * where what is held of a subscription has no continuation, and `on.unknown()` where the token is no longer good.
 */
export class Client {
  #url;
  #token;
  #subscriptions;
  #on;
  #socket = null;
  #attempts = 0;
  #timer = null;
  #pulse = null;
  #heard = 0;
  #heartbeat = 25_000;

  constructor({url, token, subscriptions, on}) {
    this.#url = url;
    this.#token = token;
    this.#on = on;
    this.#subscriptions = new Map(subscriptions.map((wanted) => [wanted.id, {wanted, cursor: undefined, live: false}]));
  }

  connect() {
    clearTimeout(this.#timer);
    this.#on.state('connecting');
    const socket = new WebSocket(this.#url, 'rowcast.v1');
    this.#socket = socket;
    socket.onopen = () => this.#send({type: 'auth', token: this.#token});
    socket.onmessage = ({data}) => {
      if (socket !== this.#socket) return;
      this.#heard = performance.now();
      this.#receive(JSON.parse(data));
    };
    socket.onclose = ({code, reason}) => {
      if (socket === this.#socket) this.#closed(code, reason);
    };
  }

  // Drops the connection without a word, as a tunnel or a closed lid would, and comes back after a while.
  cut(ms) {
    this.#abandon();
    this.#on.state('cut', ms);
    this.#timer = setTimeout(() => this.connect(), ms);
  }

  #abandon() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
    for (const subscription of this.#subscriptions.values()) subscription.live = false;
    socket?.close();
  }

  #closed(code, reason) {
    this.#abandon();
    if (code === 4401) {
      this.#on.unknown();
      return;
    }
    if (code === 4400 || code === 4403) {
      this.#on.state('failed', reason || `closed with code ${code}`);
      return;
    }
    this.#retry();
  }

  // Full jitter: after a restart of the server not everybody comes back in the same moment.
  #retry(atLeast = SHORTEST_RETRY_MS) {
    const ceiling = Math.min(LONGEST_RETRY_MS, SHORTEST_RETRY_MS * 2 ** this.#attempts++);
    const delay = atLeast + Math.random() * ceiling;
    this.#on.state('waiting', delay);
    this.#timer = setTimeout(() => this.connect(), delay);
  }

  #receive(message) {
    switch (message.type) {
      case 'welcome':
        this.#heartbeat = message.heartbeat * 1000;
        break;
      case 'authenticated':
        this.#attempts = 0;
        this.#keepAlive();
        for (const {wanted, cursor} of this.#subscriptions.values())
          this.#send({type: 'subscribe', ...wanted, ...(cursor && {after: cursor})});
        break;
      case 'subscribed':
        this.#subscribed(message);
        break;
      case 'changes':
        this.#changes(message);
        break;
      case 'cursor':
        this.#advance(message.cursor);
        break;
      case 'resync':
        this.#again(message.id);
        break;
      case 'goodbye':
        this.#abandon();
        this.#retry(message.reconnect_ms);
        break;
      case 'error':
        this.#on.state('failed', message.message);
        break;
    }
  }

  #subscribed({id, status, cursor}) {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    const first = subscription.cursor === undefined;
    subscription.cursor = cursor;
    subscription.live = status !== 'resumed';
    if (status === 'reset' && !first) this.#on.restart(subscription.wanted);
    this.#tellState();
  }

  #changes({id, events, cursor, live}) {
    if (live) this.#subscriptions.get(id).live = true; // it has been sent all that it had missed
    this.#on.events(events, {caughtUp: Boolean(id)});
    this.#advance(cursor, id);
    this.#tellState();
  }

  // A cursor without an id holds for every live subscription, one with an id for that one only.
  #advance(cursor, id) {
    for (const [name, subscription] of this.#subscriptions)
      if (id ? name === id : subscription.live) subscription.cursor = cursor;
  }

  // What was held has no continuation: forget it and begin anew.
  #again(id) {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    subscription.cursor = undefined;
    subscription.live = false;
    this.#on.restart(subscription.wanted);
    this.#send({type: 'subscribe', ...subscription.wanted});
  }

  #tellState() {
    const all = [...this.#subscriptions.values()];
    this.#on.state(all.every(({live}) => live) ? 'live' : 'catching-up');
  }

  // A browser does not see the server's ping frames, so it asks for a word itself.
  #keepAlive() {
    clearInterval(this.#pulse);
    this.#pulse = setInterval(() => {
      if (performance.now() - this.#heard > 2 * this.#heartbeat) {
        this.#abandon();
        this.#retry();
      } else {
        this.#send({type: 'ping'});
      }
    }, this.#heartbeat);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
