// `rowcast demo` and the example for a test: `const demo = await startDemo(t)`, ended and removed with it.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const binary = process.env.ROWCAST_BINARY;
const bakery = fileURLToPath(new URL('../../../../examples/bakery/start', import.meta.url));

export const startDemo = (t, ...args) => start(t, binary, 'demo', ...args);
export const startBakery = (t) => start(t, bakery, '--no-setup', '--port', '0', '--rowcast', binary);

async function start(t, program, ...args) {
  if (!binary) throw new Error('ROWCAST_BINARY is not set: run this with ctest -L browser');
  const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'inherit'], detached: true});
  t.after(() => stop(child));
  const demo = {child, stop: () => stop(child)};
  const lines = createInterface({input: child.stdout});
  for await (const line of lines) {
    demo.url ??= /http:\S+/.exec(line)?.[0];
    demo.psql ??= /Write\s+(psql .*)$/.exec(line)?.[1];
    demo.folder ??= /psql -h (\S+)/.exec(line)?.[1];
    demo.logs ??= /Logs\s+(\S+)\/\*/.exec(line)?.[1];
    if (/Ctrl-C/.test(line)) break;
  }
  child.stdout.resume();
  if (!demo.url) throw new Error(`${program} did not start`);
  return demo;
}

// As Ctrl-C does, which reaches all of its processes at once; its exit status.
async function stop(child) {
  if (child.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid, 'SIGINT');
    await once(child, 'exit');
  }
  return child.exitCode;
}

// One statement, as a person at the terminal would.
export async function execute(demo, sql) {
  const [command, ...args] = demo.psql.split(' ');
  const psql = spawn(command, [...args, '--no-psqlrc', '-qAtc', sql], {stdio: ['ignore', 'pipe', 'inherit']});
  const chunks = [];
  psql.stdout.on('data', (chunk) => chunks.push(chunk));
  const [status] = await once(psql, 'close');
  if (status !== 0) throw new Error(`psql ended with status ${status}`);
  return Buffer.concat(chunks).toString().trim();
}
