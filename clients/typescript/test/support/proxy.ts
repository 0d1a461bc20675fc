// What stands between browsers and servers, with its bad habits.
import {createServer, request, type IncomingMessage, type ServerResponse} from 'node:http';
import {once} from 'node:events';
import {connect, type AddressInfo, type Socket} from 'node:net';
import type {Scope} from './scope.js';

/** `refuse`: an answer of its own. `mute`: it goes through, and nothing comes back. */
export type WebSocketHabit = 'pass' | 'refuse' | 'mute';
/** `buffer`: the body is kept until it has ended, and then some. */
export type StreamHabit = 'pass' | 'refuse' | 'buffer';

export class Proxy {
  websocket: WebSocketHabit = 'pass';
  sse: StreamHabit = 'pass';
  /** Long polls are cut after this many milliseconds, with a 504. */
  longest = Infinity;
  /** Every request by its path, in the order in which they came. */
  readonly asked: string[] = [];
  readonly #upgraded = new Set<Socket>();
  readonly #server = createServer((from, to) => this.#forward(from, to));

  private constructor(readonly target: number) {}

  static async start(t: Scope, target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.on('upgrade', (from: IncomingMessage, socket: Socket) => proxy.#upgrade(from, socket));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    t.after(() => {
      proxy.kill();
      proxy.#server.close();
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  count(path: string): number {
    return this.asked.filter((each) => each.startsWith(path)).length;
  }

  /** Cuts every connection, in the midst of whatever it does. */
  kill(): void {
    for (const socket of this.#upgraded) socket.destroy();
    this.#server.closeAllConnections();
  }

  /** WebSockets stay open, and nothing goes through any more: neither side is told. */
  freeze(): void {
    for (const socket of this.#upgraded) {
      socket.removeAllListeners('data');
      socket.pause();
    }
  }

  #forward(from: IncomingMessage, to: ServerResponse): void {
    const path = from.url!;
    this.asked.push(path);
    if (path.startsWith('/v1/sse') && this.sse === 'refuse') {
      to.writeHead(502).end('<h1>Bad Gateway</h1>');
      return;
    }
    const up = request({port: this.target, host: '127.0.0.1', path, method: from.method, headers: from.headers}, (answer) => {
      if (path.startsWith('/v1/sse') && this.sse === 'buffer') {
        const kept: Buffer[] = [];
        answer.on('data', (piece: Buffer) => kept.push(piece));
        answer.on('end', () => to.writeHead(answer.statusCode!, answer.headers).end(Buffer.concat(kept)));
        return;
      }
      to.writeHead(answer.statusCode!, answer.headers);
      to.flushHeaders();
      answer.pipe(to);
    });
    const late = this.longest === Infinity ? undefined : setTimeout(() => {
      if (!to.headersSent) to.writeHead(504).end('<h1>Gateway Timeout</h1>');
      up.destroy();
    }, this.longest);
    up.on('error', () => to.destroy());
    to.on('close', () => {
      clearTimeout(late);
      up.destroy();
    });
    up.end();
  }

  #upgrade(from: IncomingMessage, client: Socket): void {
    this.asked.push(from.url!);
    if (this.websocket === 'refuse') {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const up = connect(this.target, '127.0.0.1', () => {
      const head = [`${from.method} ${from.url} HTTP/1.1`];
      for (let index = 0; index < from.rawHeaders.length; index += 2) head.push(`${from.rawHeaders[index]}: ${from.rawHeaders[index + 1]}`);
      up.write(`${head.join('\r\n')}\r\n\r\n`);
    });
    const mute = this.websocket === 'mute';
    const ends = [[client, up], [up, client]] as const;
    for (const [source, sink] of ends) {
      this.#upgraded.add(source);
      let first = true;
      source.on('data', (piece: Buffer) => {
        // The handshake itself goes through.
        const held = mute && source === up && !first;
        if (source === up) first = false;
        if (!held) sink.write(mute && source === up ? piece.subarray(0, piece.indexOf('\r\n\r\n') + 4) : piece);
      });
      source.on('error', () => {});
      source.on('close', () => {
        this.#upgraded.delete(source);
        sink.destroy();
      });
    }
  }
}
