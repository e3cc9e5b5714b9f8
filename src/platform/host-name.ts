/**
 * Names of this machine and of its user.
 *
 * Source: Borg 1.4.5, platform/base.py (getfqdn, hostname), platform/posix.pyx (getosusername).
 */
import { hostname } from 'node:os';
import { toUtf8Lossy } from '../util/bytes.ts';
import { bytesAt, cFunction, cString } from './libc.ts';
import { uidToName } from './users.ts';

const getaddrinfo = cFunction<[Uint8Array, null, Int32Array, BigUint64Array]>(
  'int getaddrinfo(void *name, void *service, void *hints, void *result)',
);
const freeaddrinfo = cFunction<[bigint], undefined>('void freeaddrinfo(uintptr_t list)');
const strlen = cFunction<[bigint]>('size_t strlen(uintptr_t text)');

/** The name up to its first dot. */
export function getHostname(): string {
  return hostname().split('.')[0]!;
}

// struct addrinfo: flags 0, socket type 8, canonical name (32 on Linux, 24 on the BSDs), next 40; 48 bytes.
const SIZE_BYTES = 48;
const NAME_OFFSET = process.platform === 'linux' ? 32 : 24;
const AI_CANONNAME = 2;
const SOCK_DGRAM = 2;

/** The full name as the resolver knows it, which may ask a name server; the name itself where it knows none. */
export function getFqdn(name: string = hostname()): string {
  const asked = name.trim();
  const hints = new Int32Array(SIZE_BYTES / 4);
  hints[0] = AI_CANONNAME;
  hints[2] = SOCK_DGRAM;
  const result = new BigUint64Array(1);
  if (getaddrinfo(cString(asked), null, hints, result) !== 0) return asked;
  const list = result[0]!;
  try {
    const record = new BigUint64Array(bytesAt(list, SIZE_BYTES).buffer);
    const canonical = record[NAME_OFFSET / 8]!;
    if (canonical === 0n) return asked;
    return toUtf8Lossy(bytesAt(canonical, strlen(canonical))) || asked;
  } finally {
    freeaddrinfo(list);
  }
}

/** The name of the user that started the process; the number where there is no name. */
export function getUserName(): string {
  const uid = process.getuid?.() ?? 0;
  const name = uidToName(uid);
  return name === undefined ? String(uid) : toUtf8Lossy(name);
}
