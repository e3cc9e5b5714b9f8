/** Command lines that print JSON, for one program or the other, and the schemas (docs/schemas) that hold for each. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

import type { Program, Workspace } from '../workspace.ts';

const folder = fileURLToPath(new URL('../../docs/schemas', import.meta.url));

export const schemaNames = globSync('*.json', { cwd: folder })
  .map((name) => basename(name, '.json'))
  .toSorted();

const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
for (const name of schemaNames) {
  ajv.addSchema(JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as object);
}

export function schema(name: string): ValidateFunction {
  const found = ajv.getSchema(`alcove:${name}.json`);
  if (found === undefined) throw new Error(`no schema ${name}`);
  return found;
}

export interface JsonRow {
  readonly args: string;
  /** Schema of the document on stdout. */
  readonly document?: string;
  /** Schema of each line on stdout. */
  readonly line?: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
  readonly accept?: readonly number[];
}

const log = '--log-json --progress -v --show-rc';
const everyItemKey =
  'type mode uid gid user group path source linktarget flags size csize dsize dcsize num_chunks unique_chunks mtime ctime atime isomtime isoctime isoatime md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 blake2b blake2s xxh64 archiveid archivename'
    .split(' ')
    .map((key) => `{${key}}`)
    .join('');
const ask = (name: string) => ({ [name]: 'invalid' });

/** In order: later ones see what earlier ones left. */
const rows: readonly JsonRow[] = [
  { args: `${log} init -e keyfile one` },
  { args: `${log} init -e none two` },
  { args: `${log} create --list --json --stats one::a tree`, document: 'create' },
  {
    args: `${log} create --list --json --chunker-params fixed,4096 one::b tree2 nothing`,
    document: 'create',
    accept: [1],
  },
  { args: `create --json --comment ü one::c tree`, document: 'create' },
  { args: `${log} info --json one`, document: 'info' },
  { args: `${log} info --json one::a`, document: 'info' },
  { args: `info --json --glob-archives * one`, document: 'info' },
  { args: `info --json two`, document: 'info', env: { BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'no' } },
  { args: `list --json one`, document: 'list-archives' },
  { args: `list --json two`, document: 'list-archives' },
  {
    args: 'list --json --format {comment}{bcomment}{tam}{end}{command_line}{hostname}{username} one',
    document: 'list-archives',
  },
  { args: `list --json-lines one::a`, line: 'list-item' },
  { args: `list --json-lines --format ${everyItemKey} one::b`, line: 'list-item' },
  { args: `diff --json-lines one::a b`, line: 'diff-item' },
  { args: `diff --json-lines one::b a`, line: 'diff-item' },
  { args: `${log} extract --list one::a` },
  { args: `${log} export-tar --list one::a tree.tar` },
  { args: `import-tar --json one::t tree.tar`, document: 'create' },
  { args: `${log} import-tar --list --json one::t2 tree.tar`, document: 'create' },
  { args: '--log-json -v recreate --list --comment new one::t2' },
  { args: `${log} extract -n one::none`, accept: [2] },
  { args: 'delete --cache-only one' },
  { args: `${log} create --no-cache-sync --list one::d tree` },
  { args: `${log} delete --list --stats one::d` },
  { args: `${log} prune --list --stats --keep-last 1 one` },
  { args: `${log} compact one` },
  { args: `${log} delete --cache-only one` },
  { args: `${log} create one::e tree` },
  { args: `${log} list one`, env: { BORG_PASSPHRASE: 'wrong' }, accept: [2] },
  { args: `${log} rename one::none other`, accept: [2] },
  { args: `${log} delete one`, env: { BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'no' }, accept: [2] },
  {
    args: `${log} delete one`,
    env: ask('BORG_DELETE_I_KNOW_WHAT_I_AM_DOING'),
    input: 'nonsense\nNO\n',
    accept: [2],
  },
  { args: `${log} delete one` },
  { args: `${log} delete two` },
];

/** What a program printed, by schema. */
export type Printed = Map<string, unknown[]>;

/** Runs all rows, asserts that each document and line is as its schema says, and gives all of them. */
export function checkJsonOutput(space: Workspace, program: Program): Printed {
  mkdirSync(space.join('tree/sub'), { recursive: true });
  writeFileSync(space.join('tree/a.txt'), 'hello\n');
  symlinkSync('a.txt', space.join('tree/link'));
  mkdirSync(space.join('tree2'));
  writeFileSync(space.join('tree2/b'), Buffer.alloc(100_000, 'x'));
  const printed: Printed = new Map();
  const take = (row: JsonRow, name: string, text: string) => {
    const validate = schema(name);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      assert.fail(`${row.args}: no JSON: ${text}`);
    }
    assert.ok(validate(value), `${row.args}: ${text}\n${ajv.errorsText(validate.errors)}`);
    printed.set(name, [...(printed.get(name) ?? []), value]);
  };
  for (const row of rows) {
    const { env = {}, input = '', accept = [0] } = row;
    const { stdout, stderr } = program(row.args.split(' '), { env, input, accept });
    if (row.document !== undefined) take(row, row.document, stdout);
    if (row.line !== undefined) for (const line of linesOf(stdout)) take(row, row.line, line);
    if (row.args.includes('--log-json')) for (const line of linesOf(stderr)) take(row, 'log-line', line);
  }
  return printed;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
