/** What can be wrong with a repository, its locks, keys, caches and what was seen of it, and the exit codes for it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { encodeItem } from '../../src/format/item.ts';
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackMap } from '../../src/msgpack/value.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';
import type { Program } from '../workspace.ts';
import { Surgery } from './surgery.ts';

export interface State {
  /** What is wrong. */
  readonly title: string;
  /** Makes it so, in a folder with a repository `repo` (repokey, archives a and b) and a home. */
  readonly spoil: (folder: string, borg: Program) => unknown;
  /** REPO is the repository, OWN the folder; in `env`, too. */
  readonly args: string;
  readonly env?: Record<string, string>;
  /** The modern code. */
  readonly code: number;
}

const config = (folder: string) => join(folder, 'repo/config');

function editConfig(folder: string, from: RegExp, to: string): void {
  const text = readFileSync(config(folder), 'utf8');
  assert.match(text, from);
  writeFileSync(config(folder), text.replace(from, to));
}

/** The only folder below a folder of the home that is named by an id. */
function ofRepository(folder: string, below: string): string {
  const path = join(folder, 'home', below);
  return join(
    path,
    readdirSync(path).find((name) => /^[0-9a-f]{64}$/.test(name))!,
  );
}

/** What the home remembers of a repository. */
function securityOf(folder: string, repository: string): string {
  const id = /^id = (\S+)/m.exec(readFileSync(join(repository, 'config'), 'utf8'))![1]!;
  return join(folder, 'home/.config/borg/security', id);
}

/** Its objects are changed by somebody who has the key. */
const operate = (work: (surgery: Surgery) => Promise<void>) => (folder: string) => Surgery.on(folder, work);

/** Another version of the list of archives. */
const manifest = (pack: (map: MsgpackMap, seal: (map: MsgpackMap) => Uint8Array) => Uint8Array) =>
  operate((surgery) => surgery.rewriteManifest(pack));

const archiveA = (pack: (map: MsgpackMap, seal: (map: MsgpackMap) => Uint8Array) => Uint8Array) =>
  operate((surgery) => surgery.rewriteMetadata('a', pack));

/** The packed map with a bit of its MAC changed. */
function wrongMac(packed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(packed);
  const at = bytes.indexOf('hmac');
  assert.ok(at > 0);
  bytes[at + 20]! ^= 1;
  return bytes;
}

/** The packed map with a MAC of another kind. */
function unknownSuite(packed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(packed);
  const at = bytes.indexOf('HKDF_HMAC_SHA512');
  assert.ok(at > 0);
  bytes[at] = 0x58;
  return bytes;
}

/** The same map with a feature that no program knows. */
function withFeature(map: MsgpackMap, operation: string): MsgpackMap {
  const flags = new Map([[operation, new Map([['mandatory', ['nonsense']]])]]);
  return new Map([...map, ['config', new Map([['feature_flags', flags]])]]);
}

/** A lock that another machine holds. */
function lockElsewhere(folder: string): void {
  mkdirSync(join(folder, 'repo/lock.exclusive'));
  writeFileSync(join(folder, 'repo/lock.exclusive', `elsewhere@123456.4242-0`), '');
}

const ask = 'BORG_RELOCATED_REPO_ACCESS_IS_OK';

export const states: readonly State[] = [
  { title: 'a lock of another machine', spoil: lockElsewhere, args: 'create REPO::new tree', code: 73 },
  { title: 'a lock of another machine, for a reader', spoil: lockElsewhere, args: 'list REPO', code: 73 },
  {
    title: 'no key in the config',
    spoil: (folder) => editConfig(folder, /^key = [\s\S]*/m, '\n'),
    args: 'list REPO',
    code: 44,
  },
  {
    title: 'a key that is not whole',
    spoil: (folder) => editConfig(folder, /^key = [\s\S]*/m, 'key = AAAA\n\n'),
    args: 'list REPO',
    code: 40,
  },
  {
    title: 'a wrong passphrase',
    spoil: () => {},
    args: 'list REPO',
    env: { BORG_PASSPHRASE: 'wrong' },
    code: 52,
  },
  {
    title: 'a repository that was moved, and a user who says no',
    spoil: (folder) => renameSync(join(folder, 'repo'), join(folder, 'moved')),
    args: 'info OWN/moved',
    env: { [ask]: 'no' },
    code: 62,
  },
  {
    title: 'a repository put back in time',
    spoil: (folder, borg) => {
      cpSync(join(folder, 'repo'), join(folder, 'old'), { recursive: true });
      borg(['delete', `${folder}/repo::b`]);
      rmSync(join(folder, 'repo'), { recursive: true });
      renameSync(join(folder, 'old'), join(folder, 'repo'));
    },
    args: 'create REPO::new tree',
    code: 64,
  },
  {
    title: 'another key than before',
    spoil: (folder) => writeFileSync(join(ofRepository(folder, '.config/borg/security'), 'key-type'), '2'),
    args: 'create REPO::new tree',
    code: 61,
  },
  {
    title: 'a quota that is used up',
    spoil: (folder) => editConfig(folder, /^storage_quota = .*/m, 'storage_quota = 1000'),
    args: 'create REPO::new tree',
    code: 20,
  },
  {
    title: 'too little free space',
    spoil: (folder) => editConfig(folder, /^additional_free_space = .*/m, 'additional_free_space = 900T'),
    args: 'create REPO::new tree',
    code: 14,
  },
  {
    title: 'a config of another version',
    spoil: (folder) => editConfig(folder, /^version = .*/m, 'version = 2'),
    args: 'list REPO',
    code: 16,
  },
  {
    title: 'no manifest',
    spoil: (folder, borg) =>
      void borg(['debug', 'delete-obj', `${folder}/repo`, '0'.repeat(64)], { accept: [0, 1] }),
    args: 'list REPO',
    code: 26,
  },
  {
    title: 'damaged data',
    spoil: (folder) => {
      for (const name of readdirSync(join(folder, 'repo/data/0'))) {
        const path = join(folder, 'repo/data/0', name);
        const bytes = readFileSync(path);
        if (bytes.length < 1_000_000) continue;
        bytes[500_000]! ^= 1;
        writeFileSync(path, bytes);
      }
    },
    args: 'extract -n REPO::a',
    code: 90,
  },
  {
    title: 'a missing archive',
    spoil: () => {},
    args: 'extract REPO::none',
    code: 31,
  },
  {
    title: 'an archive that is there already',
    spoil: () => {},
    args: 'create REPO::a tree',
    code: 30,
  },
  {
    title: 'a manifest without authentication',
    spoil: manifest(encode),
    args: 'list REPO',
    code: 98,
  },
  {
    title: 'a manifest whose authentication is wrong',
    spoil: manifest((map, seal) => wrongMac(seal(map))),
    args: 'list REPO',
    code: 97,
  },
  {
    title: 'a manifest that is authenticated in an unknown way',
    spoil: manifest((map, seal) => unknownSuite(seal(map))),
    args: 'list REPO',
    code: 99,
  },
  {
    title: 'a manifest of an unknown kind',
    spoil: manifest(() => new Uint8Array(8).fill(0xc1)),
    args: 'list REPO',
    code: 27,
  },
  {
    title: 'a feature that is needed to read',
    spoil: manifest((map, seal) => seal(withFeature(map, 'read'))),
    args: 'list REPO',
    code: 25,
  },
  {
    title: 'a feature that is needed to write',
    spoil: manifest((map, seal) => seal(withFeature(map, 'write'))),
    args: 'create REPO::new tree',
    code: 25,
  },
  {
    title: 'an archive whose authentication is wrong',
    spoil: archiveA((map, seal) => wrongMac(seal(map))),
    args: 'info REPO::a',
    code: 95,
  },
  {
    title: 'a manifest sealed with an unknown cipher',
    spoil: operate((surgery) => surgery.replace(MANIFEST_ID, new Uint8Array(100).fill(0x99))),
    args: 'list REPO',
    code: 48,
  },
  {
    title: 'an archive whose description is lost',
    spoil: operate((surgery) => surgery.remove(surgery.archiveId('a'))),
    args: 'list REPO::a',
    code: 17,
  },
  {
    title: 'data that does not decompress',
    spoil: operate(async (surgery) => {
      const [chunk] = await surgery.chunks('a', 'tree/noise');
      await surgery.exchangeCompressed(chunk!.id, Uint8Array.of(1, 0, 0xff, 0xff, 0xff));
    }),
    args: 'extract -n REPO::a',
    code: 92,
  },
  {
    title: 'a repository without encryption put back in time',
    spoil: (folder, borg) => {
      const plain = join(folder, 'plain');
      borg(['init', '-e', 'none', plain]);
      writeFileSync(join(securityOf(folder, plain), 'manifest-timestamp'), '2999-01-01T00:00:00.000000');
    },
    args: 'list OWN/plain',
    code: 63,
  },
  {
    title: 'a key file of another repository',
    spoil: (folder, borg) => {
      const path = join(folder, 'key');
      borg(['init', '-e', 'keyfile', join(folder, 'other')], { env: { BORG_KEY_FILE: path } });
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^BORG_KEY .*/, `BORG_KEY ${'12'.repeat(32)}`));
    },
    args: 'list OWN/other',
    env: { BORG_KEY_FILE: 'OWN/key' },
    code: 41,
  },
  {
    title: 'a backup of the key of another repository',
    spoil: (folder) => writeFileSync(join(folder, 'key'), `BORG_KEY ${'12'.repeat(32)}\nAAAA\n`),
    args: 'key import REPO OWN/key',
    code: 45,
  },
  {
    title: 'no data at all',
    spoil: (folder) => {
      rmSync(join(folder, 'repo/data'), { recursive: true });
      mkdirSync(join(folder, 'repo/data'));
    },
    args: 'create REPO::new tree',
    code: 12,
  },
  {
    title: 'a repository of Attic',
    spoil: (folder) => {
      const data = join(folder, 'repo/data/0');
      for (const name of readdirSync(data)) {
        const path = join(data, name);
        const bytes = readFileSync(path);
        bytes.write('ATTICSEG');
        writeFileSync(path, bytes);
      }
    },
    args: 'list REPO',
    code: 11,
  },
  {
    title: 'no config',
    spoil: (folder) => rmSync(config(folder)),
    args: 'list REPO',
    code: 15,
  },
  {
    title: 'a file where a repository is to be made',
    spoil: (folder) => writeFileSync(join(folder, 'file'), ''),
    args: 'init -e none OWN/file',
    code: 19,
  },
  {
    title: 'no folder around a repository that is to be made',
    spoil: () => {},
    args: 'init -e none OWN/no/such/repo',
    code: 18,
  },
  {
    title: 'a repository that is there already',
    spoil: () => {},
    args: 'init -e none REPO',
    code: 10,
  },
  { title: 'no repository', spoil: () => {}, args: 'list OWN/none', code: 13 },
  {
    title: 'no key for a repository',
    spoil: (folder, borg) => {
      borg(['init', '-e', 'keyfile', join(folder, 'other')]);
      rmSync(join(folder, 'home/.config/borg/keys'), { recursive: true });
    },
    args: 'list OWN/other',
    code: 42,
  },
  {
    title: 'a text in place of a key',
    spoil: (folder) => writeFileSync(join(folder, 'key'), 'nonsense\n'),
    args: 'key import REPO OWN/key',
    code: 43,
  },
  {
    title: 'a key where none is needed',
    spoil: (folder, borg) => borg(['init', '-e', 'none', join(folder, 'plain')]),
    args: 'key export OWN/plain OWN/key',
    code: 46,
  },
  {
    title: 'an unknown repository without encryption, and a user who says no',
    spoil: (folder, borg) => {
      borg(['init', '-e', 'none', join(folder, 'plain')]);
      rmSync(join(folder, 'home'), { recursive: true });
    },
    args: 'list OWN/plain',
    env: { BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'no' },
    code: 60,
  },
  {
    title: 'a user who does not mean it',
    spoil: () => {},
    args: 'delete REPO',
    env: { BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'NO' },
    code: 3,
  },
  { title: 'a placeholder that is none', spoil: () => {}, args: 'create REPO::{nonsense} tree', code: 6 },
  { title: 'a wrong format', spoil: () => {}, args: 'create REPO::{hostname:d} tree', code: 5 },
  { title: 'options that contradict', spoil: () => {}, args: 'list --json-lines REPO', code: 4 },
  { title: 'a path that never matches', spoil: () => {}, args: 'extract -n REPO::a none', code: 101 },
  { title: 'a file that is not there', spoil: () => {}, args: 'create REPO::new tree none', code: 107 },
  {
    title: 'a path that leads out',
    spoil: operate((surgery) =>
      surgery.rewriteItems('a', (packed, items) => [
        ...packed,
        encodeItem({ ...items.at(-1)!, path: fromUtf8('tree/../../out') }),
      ]),
    ),
    args: 'extract REPO::a',
    code: 109,
  },
];

/** What is provoked elsewhere, or by nothing that a test of two programs could do, and why. */
export const unprovoked: Readonly<Record<string, string>> = {
  'Archive.IncompatibleFilesystemEncodingError':
    'names are bytes here; Borg needs a locale other than UTF-8 for it',
  ArchiveTAMRequiredError:
    'both read such archives; only a repair asks for it, and reports it: check.test.ts',
  'Buffer.MemoryLimitExceeded': 'no repository makes Borg ask for so much',
  'EfficientCollectionQueue.SizeUnderflow': 'a fault of the program itself',
  Error: 'no code of its own',
  ErrorWithTraceback: 'no code of its own',
  RTError: 'no code of its own',
  BorgWarning: 'no code of its own',
  BackupWarning: 'no code of its own',
  FileIntegrityError: 'caches and indexes that are damaged are made again: cache-damage.test.ts',
  LockError: 'no line of Borg raises it',
  LockErrorT: 'no line of Borg raises it',
  LockFailed: 'needs a user who may not write: exit-codes.test.ts',
  NotLocked: 'needs somebody who breaks the lock of a running command: tests/repository/lock.test.ts',
  NotMyLock: 'needs somebody who breaks the lock of a running command: tests/repository/lock.test.ts',
  NoPassphraseFailure: 'depends on whether there is a terminal: exit-codes.test.ts',
  PasscommandFailure: 'needs an environment without BORG_PASSPHRASE: exit-codes.test.ts',
  PasswordRetriesExceeded: 'needs a terminal: tests/keys/load-key.test.ts',
  'Repository.PathPermissionDenied': 'Borg ends with a Python stack: exit-codes.test.ts',
  UnknownKeyType: 'no line of Borg raises it',
  ConnectionClosed: 'needs a server that ends at a certain moment',
  ConnectionClosedWithHint: 'needs a server that ends at a certain moment',
  ConnectionBrokenWithHint: 'needs a server that ends at a certain moment',
  InvalidRPCMethod: 'needs a client of another version: tests/remote',
  PathNotAllowed: 'needs a server with a restriction: tests/remote',
  'RemoteRepository.RPCServerOutdated': 'needs a server of another version',
  UnexpectedRPCDataFormatFromClient: 'needs a broken client: tests/remote',
  UnexpectedRPCDataFormatFromServer: 'needs a broken server: tests/remote/attacks.test.ts',
  BackupError: 'needs an inconsistent item: tests/archive/extract',
  BackupHardlinkSourceError: 'needs an archive made to harm: tests/archive/extract',
  BackupIOError: 'needs a disk that fails',
  BackupOSError: 'needs a disk that fails',
  BackupPermissionError: 'needs a user who may not read: output-create.test.ts',
  BackupRaceConditionError: 'needs a file that is exchanged while it is opened',
  BackupSymlinkParentError: 'needs a link that appears while files are restored: tests/archive/extract',
  FileChangedWarning: 'needs a file that changes while it is read: tests/archive/create',
};
