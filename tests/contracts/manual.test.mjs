// What the manual names is there, and what is there it names: keys, codes, commands, functions, fuzzers, links.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {documents, program, source, sourcePath} from './support/contracts.mjs';

const manual = [
  'README.md', 'CHANGELOG.md', 'bench/REPORT.md', 'clients/typescript/README.md', 'examples/bakery/README.md',
  ...readdirSync(sourcePath('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const sorted = (list) => [...new Set(list)].sort();
const section = (path, title) => {
  const [, text] = source(path).split(`\n## ${title}\n`);
  assert.ok(text, `${path} has a section "${title}"`);
  return text.split('\n## ')[0];
};
const rows = (text) => [...text.matchAll(/^\|(.*)\|$/gm)].map(([, row]) => row.split('|').map((cell) => cell.trim()));
const codes = (text) => [...text.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code);

test('configuration.md has every key of bridge.yaml, with its default and its limits', () => {
  const schema = documents['bridge.schema.json'];
  const keys = {};
  const add = (part, path) => {
    for (const [name, each] of Object.entries(part.properties)) {
      if (each.properties) add(each, `${path}${name}.`);
      else keys[`${path}${name}`] = each;
    }
  };
  add(schema, '');
  const told = {};
  for (const [names, given, takes] of rows(section('docs/configuration.md', 'Every key')).filter(([names]) => names.startsWith('`'))) {
    for (const name of codes(names.replaceAll('.', '__'))) told[name.replaceAll('__', '.')] = {given: given.replaceAll('`', ''), takes: takes?.replaceAll(',', '')};
  }
  assert.deepEqual(sorted(Object.keys(told)), sorted(Object.keys(keys)));
  for (const [name, {default: otherwise, description = '', anyOf}] of Object.entries(keys)) {
    const {given, takes} = told[name];
    assert.equal(given, otherwise === undefined || otherwise === '' ? '' : typeof otherwise === 'object' ? JSON.stringify(otherwise) : String(otherwise), name);
    const number = anyOf?.find(({maximum}) => maximum !== undefined);
    if (number) assert.equal(takes, `${number.minimum} to ${number.maximum}`, name);
    const [, limits, most] = /(?:(\d+\w* to \d+\w*)|Up to (\d+\w*))\.$/.exec(description) ?? [];
    if (limits || most) assert.equal(takes, limits ?? `0s to ${most}`, name);
  }
});

test('protocol.md has every error and close code', () => {
  const overHttp = codes(section('docs/protocol.md', 'Errors over HTTP'));
  assert.deepEqual(program.errors.map(({code}) => code).filter((code) => !overHttp.includes(code)), []);
  const status = {};
  for (const [numbers, lists] of rows(section('docs/protocol.md', 'Errors over HTTP')).filter(([numbers]) => /^\d/.test(numbers))) {
    const parts = numbers.includes(',') ? lists.split(';') : [lists];
    numbers.split(', ').forEach((number, at) => codes(parts[at]).forEach((code) => (status[code] = Number(number))));
  }
  for (const {code, status: wanted} of program.errors) if (code in status) assert.equal(status[code], wanted, code);
  const closes = rows(section('docs/protocol.md', 'WebSocket')).filter(([number]) => /^\d{4}$/.test(number));
  assert.deepEqual(sorted(closes.map(([number]) => Number(number))), sorted(Object.values(program.closeCodes).filter(Boolean)));
  for (const {code, close} of program.errors.filter(({close}) => close !== 'none')) {
    const [, told] = closes.find(([number]) => Number(number) === program.closeCodes[close]);
    assert.ok(codes(told).includes(code), `${program.closeCodes[close]} is for ${code}`);
  }
});

test('every command and option of the manual is one of the program', () => {
  const help = (...given) => spawnSync(process.env.ROWCAST_BINARY, [...given, '--help'], {encoding: 'utf8'}).stdout;
  const all = [...help().split('Subcommands:')[1].split('\n\n')[0].matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
  assert.ok(all.length > 10);
  const options = Object.fromEntries(all.map((name) => [name, [...help(name).matchAll(/--[a-z-]+/g)].map(([option]) => option)]));
  const told = manual.flatMap((path) => [...source(path).matchAll(/\browcast ([a-z]+)((?: [^\n`|#&]*)?)/g)]);
  const used = told.filter(([, name]) => all.includes(name));
  assert.deepEqual(sorted(used.map(([, name]) => name)), sorted(all));
  for (const [text, name, given] of used) {
    for (const [option] of given.matchAll(/(?<= )--[a-z-]+/g)) assert.ok(options[name].includes(option), text);
  }
  // At the beginning of a command line nothing else stands behind the program's name.
  const lines = manual.flatMap((path) => [...source(path).matchAll(/^ {4}(?:\$ )?rowcast ([a-z]+)/gm)]);
  assert.deepEqual(lines.map(([, name]) => name).filter((name) => !all.includes(name)), []);
});

test('every function of SQL in the manual is there', () => {
  const made = readdirSync(sourcePath('sql/triggers')).flatMap((name) => [...source(`sql/triggers/${name}`).matchAll(/create or replace function rowcast\.(\w+)\(/g)].map(([, each]) => each));
  const told = manual.flatMap((path) => [...source(path).matchAll(/\browcast\.(\w+)\(/g)].map(([, each]) => each));
  assert.ok(told.length > 10);
  assert.deepEqual(sorted(told).filter((each) => !made.includes(each) && each !== 'capture_N'), []);
});

test('architecture.md names the fuzzers that there are', () => {
  const [, names] = /set\(names\n([^)]*)\)/.exec(source('tests/fuzz/CMakeLists.txt'));
  const [, told] = /The fuzzers \(`tests\/fuzz\/`\)([^]*?)`scripts\/fuzz/.exec(source('docs/architecture.md'));
  assert.deepEqual(sorted(codes(told)), sorted(names.trim().split(/\s+/)));
});

test('every script that the manual names is there, and it names every script', () => {
  const told = manual.flatMap((path) => [...source(path).matchAll(/\bscripts\/([a-z-]+)(?![\w.])/g)].map(([, name]) => name));
  const helpers = ['node-packages', 'promtool']; // which other scripts call
  assert.deepEqual(sorted(told), readdirSync(sourcePath('scripts')).filter((name) => !helpers.includes(name)).sort());
});

test('every link of the manual leads somewhere', () => {
  // As GitHub makes them.
  const anchors = (path) => [...source(path).matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\p{L}\p{N}\-_ ]/gu, '').replaceAll(' ', '-'));
  const lost = [];
  for (const path of manual) {
    const text = source(path).replace(/^```.*?^```/gms, '');
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file, anchor] = link.split('#');
      const to = file ? join(dirname(path), file) : path;
      if (!existsSync(sourcePath(to)) || (anchor && !anchors(to).includes(anchor))) lost.push(`${path}: ${link}`);
    }
  }
  assert.deepEqual(lost, []);
});
