/**
 * Users and groups by the system's name services (files, LDAP, …), remembered for the life of the thread. Names are
 * bytes: the password file has no encoding.
 *
 * Source: Borg 1.4.5, platform/posix.pyx (uid2user, user2uid, gid2group, group2gid).
 */
import { toBinaryString } from '../util/bytes.ts';
import { bytesAt, cFunction, cString } from './libc.ts';
import { OsError, errnoNumber } from './os-error.ts';

type Lookup<Key extends number | Uint8Array> = (
  key: Key,
  record: Uint8Array,
  strings: Uint8Array,
  length: number,
  result: Uint8Array,
) => number;

const getpwuid: Lookup<number> = cFunction(
  'int getpwuid_r(uint32_t uid, void *record, void *strings, size_t length, void *result)',
);
const getpwnam: Lookup<Uint8Array> = cFunction(
  'int getpwnam_r(void *name, void *record, void *strings, size_t length, void *result)',
);
const getgrgid: Lookup<number> = cFunction(
  'int getgrgid_r(uint32_t gid, void *record, void *strings, size_t length, void *result)',
);
const getgrnam: Lookup<Uint8Array> = cFunction(
  'int getgrnam_r(void *name, void *record, void *strings, size_t length, void *result)',
);
const strlen = cFunction<[bigint]>('size_t strlen(uintptr_t text)');

// Both struct passwd and struct group begin with the name's pointer and the password's; then comes the number.
const NAME_OFFSET = 0;
const NUMBER_OFFSET = 16;
// struct passwd on Linux: uid 16, gid 20, gecos 24, home 32; the BSDs have two more fields before.
const HOME_OFFSET = process.platform === 'linux' ? 32 : 48;
const LIMIT_BYTES = 16 * 1024 * 1024;

interface Entry {
  name: Uint8Array;
  number: number;
  /** Address of the home folder's path; only in a passwd entry. */
  text(offset: number): Uint8Array;
}

/** What `found` makes of the entry, which lives in memory that is gone afterwards. */
function look<Key extends number | Uint8Array, Value>(
  lookup: Lookup<Key>,
  key: Key,
  found: (entry: Entry) => Value,
): Value | undefined {
  const record = new Uint8Array(128);
  const result = new Uint8Array(8);
  for (let length = 1024; ; length *= 4) {
    const strings = new Uint8Array(length);
    const errno = lookup(key, record, strings, length, result);
    if (errno === errnoNumber('ERANGE') && length < LIMIT_BYTES) continue;
    if (errno === errnoNumber('EINTR')) continue;
    // Every name service has its own error for "no such name"; only these say that we could not look.
    if (errno === errnoNumber('EIO') || errno === errnoNumber('EMFILE') || errno === errnoNumber('ENFILE')) {
      throw new OsError(errno, 'getpwnam');
    }
    if (errno !== 0 || result.every((byte) => byte === 0)) return undefined;
    const view = new DataView(record.buffer);
    const text = (offset: number) => {
      const pointer = view.getBigUint64(offset, true);
      return bytesAt(pointer, strlen(pointer));
    };
    return found({ name: text(NAME_OFFSET), number: view.getUint32(NUMBER_OFFSET, true), text });
  }
}

function remembered<Key, Value>(lookup: (key: Key) => Value, mapKey: (key: Key) => string | number) {
  const known = new Map<string | number, Value>();
  return (key: Key): Value => {
    const at = mapKey(key);
    const value = known.get(at);
    if (value !== undefined || known.has(at)) return value as Value;
    const fresh = lookup(key);
    known.set(at, fresh);
    return fresh;
  };
}

const byNumber = (number: number) => number;

function byName(lookup: Lookup<Uint8Array>) {
  return (name: Uint8Array): number | undefined => {
    if (name.length === 0 || name.includes(0)) return undefined;
    return look(lookup, cString(name), (entry) => entry.number);
  };
}

/** Name of the user, undefined where there is none. */
export const uidToName: (uid: number) => Uint8Array | undefined = remembered(
  (uid) => look(getpwuid, uid, (entry) => entry.name),
  byNumber,
);
/** Name of the group, undefined where there is none. */
export const gidToName: (gid: number) => Uint8Array | undefined = remembered(
  (gid) => look(getgrgid, gid, (entry) => entry.name),
  byNumber,
);
/** Number of the user of this name, undefined where there is none. */
export const nameToUid: (name: Uint8Array) => number | undefined = remembered(
  byName(getpwnam),
  toBinaryString,
);
/** Number of the group of this name, undefined where there is none. */
export const nameToGid: (name: Uint8Array) => number | undefined = remembered(
  byName(getgrnam),
  toBinaryString,
);

/** Home folder of a user by number or name, as the system knows it (never $HOME). */
export function homeOf(user: number | string): string | undefined {
  return typeof user === 'number' ? look(getpwuid, user, homePath) : look(getpwnam, cString(user), homePath);
}

function homePath(entry: Entry): string {
  return Buffer.from(entry.text(HOME_OFFSET)).toString();
}
