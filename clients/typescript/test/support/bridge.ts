// A bridge for a test: `const bridge = await Bridge.start(t, database)`, ended with it.
import {createHmac, randomBytes} from 'node:crypto';
import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Scope} from './scope.js';
import {binary, type Database} from './database.js';
import {until} from './until.js';

const secret = randomBytes(32).toString('hex');

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token that the bridges of this process take. */
export function token(subject: string, {expires = 3600, roles = ['user'], ...claims}: {expires?: number; roles?: string[]; [claim: string]: unknown} = {}): string {
  const body = `${encode({alg: 'HS256', typ: 'JWT'})}.${encode({sub: subject, roles, exp: Math.floor(Date.now() / 1000) + expires, jti: randomBytes(8).toString('hex'), ...claims})}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface BridgeSettings {
  /** Of the YAML, below `tables:` and so on; what every test has is there already. */
  readonly rules?: string;
  readonly heartbeat?: string;
  readonly anonymous?: boolean;
  readonly grace?: string;
  readonly rollout?: string;
  /** Pages that may connect. */
  readonly origins?: readonly string[];
}

const everything = `tables:
  public.items: [{roles: [anonymous, user]}]
  public.notes: [{roles: [anonymous, user]}]
channels:
  "room:*": [{roles: [anonymous, user]}]
`;

export class Bridge {
  #child: ChildProcess | undefined;
  #complaint = '';

  private constructor(
    readonly port: number,
    readonly file: string,
  ) {}

  static async start(t: Scope, database: Database, settings: BridgeSettings = {}): Promise<Bridge> {
    const {rules = everything, heartbeat = '25s', anonymous = true, grace = '30s', rollout = '{}', origins = []} = settings;
    const folder = mkdtempSync(join(tmpdir(), 'rowcast-client-'));
    const bridge = new Bridge(await freePort(), join(folder, 'bridge.yaml'));
    writeFileSync(bridge.file, `database: {url: "${database.url}"}
server:
  listen: "127.0.0.1:${bridge.port}"
  admin: "127.0.0.1:${await freePort()}"
  heartbeat: ${heartbeat}
  origins: ${JSON.stringify(origins)}
  limits: {connects_per_second_per_address: 100000}
auth: {anonymous: ${anonymous}, grace: ${grace}, leeway: 0s, jwt: [{algorithm: HS256, secret: "${secret}"}]}
rollout: ${rollout}
${rules}`);
    t.after(async () => {
      await bridge.stop();
      rmSync(folder, {recursive: true});
    });
    await bridge.start();
    return bridge;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const child = spawn(binary!, ['serve', '--config', this.file], {stdio: ['ignore', 'ignore', 'pipe']});
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaint = (this.#complaint + text).slice(-4000)));
    this.#child = child;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the bridge ended: ${this.#complaint}`);
      return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok === true;
    }, () => `the bridge is not ready: ${this.#complaint}`);
  }

  /** Reads its file again. */
  reload(): void {
    this.#child!.kill('SIGHUP');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
