// A database of its own on the run's PostgreSQL (tests/support/cluster), with rowcast installed.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Scope} from './scope.js';

const cluster = process.env['ROWCAST_TEST_CLUSTER'];
export const binary = process.env['ROWCAST_BINARY'];

let count = 0;

/** Runs a program to its end and gives what it wrote; throws what it complained of. */
export async function run(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, {stdio: ['pipe', 'pipe', 'pipe']});
  const [out, complaint]: [string[], string[]] = [[], []];
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaint.push(text));
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number];
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${complaint.join('')}`);
  return out.join('').trim();
}

const psql = (url: string, sql: string) => run('psql', ['-d', url, '--no-psqlrc', '-qAt', '-v', 'ON_ERROR_STOP=1'], sql);

export class Database {
  private constructor(readonly url: string) {}

  static async create(t: Scope, setup: string): Promise<Database> {
    if (!cluster || !binary) throw new Error('ROWCAST_TEST_CLUSTER and ROWCAST_BINARY are not set: run this with ctest -R "^client"');
    const server = readFileSync(join(cluster, 'url'), 'utf8').trim();
    const name = `rowcast_client_${process.pid}_${++count}`;
    await psql(server, `create database ${name} template template0`);
    t.after(() => psql(server, `drop database if exists ${name} with (force)`));
    const database = new Database(server.replace('/postgres?', `/${name}?`));
    await run(binary, ['install', '--database', database.url]);
    await database.execute(setup);
    return database;
  }

  /** One transaction for each statement, in autocommit. */
  execute(sql: string): Promise<string> {
    return psql(this.url, sql);
  }

  async rows<Row>(query: string): Promise<Row[]> {
    return JSON.parse(await this.execute(`select coalesce(json_agg(q), '[]') from (${query}) q`)) as Row[];
  }
}
