// The guide for who polls today: its code is compiled as it stands there.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {guide} from './support/guide.js';

// What is the reader's own.
const api = `
export interface Job { readonly id: number; readonly status: string }
export interface Message { readonly id: number; readonly room_id: number; readonly body: string }
export declare const api: {
  readonly token: () => Promise<string>;
  readonly jobs: () => Promise<Job[]>;
  readonly messages: (room: number) => Promise<Message[]>;
};
export declare function render(jobs: readonly Job[]): void;
export declare function show(rows: readonly (Job | Message)[]): void;
export declare function append(message: Message): void;
export declare function showTyping(user: number): void;
`;
const socketIo = `
export declare function io(url: string, options: {auth: (tell: (credentials: object) => void) => void}): {
  on(event: string, listener: (...args: never[]) => void): void;
  emit(event: string, ...args: unknown[]): void;
  disconnect(): void;
};
`;

test('all code of the guide is compiled, before and after', () => {
  const blocks = guide();
  const names = [...blocks.keys()];
  for (const each of ['jobs.tsx', 'board.ts', 'room.ts', 'feed.ts']) {
    assert.ok(names.includes(each) && names.includes(`before/${each}`), `${each} is there twice, in ${names}`);
  }
  const folder = 'build/guide';
  rmSync(folder, {recursive: true, force: true});
  const files = new Map([...blocks, ['api.ts', api], ['node_modules/socket.io-client/index.d.ts', socketIo], ['tsconfig.json', JSON.stringify({
    extends: '../../tsconfig.json',
    compilerOptions: {
      types: [], module: 'ESNext', moduleResolution: 'Bundler',
      paths: {'@rowcast/client': ['../../src/index.ts'], '@rowcast/client/react': ['../../src/react.ts'], '@rowcast/client/tanstack-query': ['../../src/tanstack_query.ts']},
    },
    include: ['.'],
  })]]);
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), {recursive: true});
    writeFileSync(join(folder, name), text);
  }
  const tsc = (...args: string[]) => execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder, ...args], {encoding: 'utf8'});
  try {
    tsc();
  } catch (error) {
    assert.fail((error as {stdout: string}).stdout);
  }
  const compiled = tsc('--listFilesOnly');
  for (const name of names) assert.ok(compiled.includes(`/guide/${name}\n`), `${name} was compiled`);
});
