// Databases, bridges and tokens for a test: `const database = await Database.create(t, sql)`, ended with it.
import {createHmac, randomBytes} from 'node:crypto';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const cluster = process.env.ROWCAST_TEST_CLUSTER;
const binary = process.env.ROWCAST_BINARY;
export const patience = 120_000;

/** Waits until something holds, and gives it. */
export async function until(holds, instead) {
  for (const end = Date.now() + patience; ; await new Promise((next) => setTimeout(next, 20))) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${instead()}`);
  }
}

const secret = randomBytes(32).toString('hex');
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

/** A token that the bridges of this process take. */
export function token(sub, {expires = 3600, roles = ['user'], ...claims} = {}) {
  const body = `${encode({alg: 'HS256', typ: 'JWT'})}.${encode({sub, roles, iat: now(), exp: now() + expires, ...claims})}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

async function run(command, args, input = '') {
  const child = spawn(command, args, {stdio: ['pipe', 'pipe', 'pipe']});
  const [out, complaint] = [[], []];
  child.stdout.setEncoding('utf8').on('data', (text) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text) => complaint.push(text));
  child.stdin.end(input);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${complaint.join('')}`);
  return out.join('').trim();
}

const psql = ['--no-psqlrc', '-qAt', '-v', 'ON_ERROR_STOP=1'];
let count = 0;

export class Database {
  #held = new Set();

  constructor(url) {
    this.url = url;
  }

  static async create(t, setup) {
    if (!cluster || !binary) throw new Error('ROWCAST_TEST_CLUSTER and ROWCAST_BINARY are not set: run this with ctest -L contracts');
    const server = new Database(readFileSync(join(cluster, 'url'), 'utf8').trim());
    const name = `rowcast_contracts_${process.pid}_${++count}`;
    await server.execute(`create database ${name} template template0`);
    const made = new Database(server.url.replace('/postgres?', `/${name}?`));
    t.after(async () => {
      for (const each of made.#held) each.kill(); // of a test that has failed
      await server.execute(`drop database if exists ${name} with (force)`);
    });
    await run(binary, ['install', '--database', made.url]);
    await made.execute(setup);
    return made;
  }

  execute(sql) {
    return run('psql', ['-d', this.url, ...psql], sql);
  }

  /** Begins a transaction with a statement; the function that it gives ends it. */
  async hold(sql) {
    const child = spawn('psql', ['-d', this.url, ...psql], {stdio: ['pipe', 'pipe', 'inherit']});
    this.#held.add(child);
    child.stdin.write(`begin; ${sql}; select 'held';\n`);
    await once(child.stdout, 'data');
    return async () => {
      child.stdin.end('rollback;\n');
      await once(child, 'close');
      this.#held.delete(child);
    };
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export const adminToken = 'operators-only-0123456789';

export class Bridge {
  #child;
  #complaint = '';

  /** `settings`: more of the file, as an object; `auth.jwt` has this process's key first. */
  static async start(t, url, {ready = true, ...settings} = {}) {
    const made = new Bridge();
    made.port = await freePort();
    made.adminPort = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'rowcast-contracts-'));
    made.file = join(folder, 'bridge.yaml');
    made.settings = {
      ...settings,
      database: {url, ...settings.database},
      server: {
        listen: `127.0.0.1:${made.port}`, admin: `127.0.0.1:${made.adminPort}`, admin_token: adminToken, ...settings.server,
        limits: {connects_per_second_per_address: 100000, ...settings.server?.limits},
      },
      auth: {leeway: '0s', ...settings.auth, jwt: [{algorithm: 'HS256', secret}, ...(settings.auth?.jwt ?? [])]},
    };
    made.configure(made.settings);
    t.after(async () => {
      await made.stop();
      rmSync(folder, {recursive: true});
    });
    await made.start(ready);
    return made;
  }

  configure(settings) {
    writeFileSync(this.file, JSON.stringify(settings));
  }

  async start(ready = true) {
    const child = spawn(binary, ['serve', '--config', this.file], {stdio: ['ignore', 'ignore', 'pipe']});
    child.stderr.setEncoding('utf8').on('data', (text) => (this.#complaint = (this.#complaint + text).slice(-4000)));
    this.#child = child;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the bridge ended: ${this.#complaint}`);
      const answer = await fetch(`http://127.0.0.1:${this.port}/${ready ? 'readyz' : 'healthz'}`).catch(() => undefined);
      return answer?.ok;
    }, () => `the bridge is not ready: ${this.#complaint}`);
  }

  /** Asks it to stop, and does not wait. */
  terminate() {
    this.#child.kill('SIGTERM');
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.terminate();
    await once(this.#child, 'exit');
  }
}
