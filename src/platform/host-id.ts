/**
 * Who we are to other processes: the identity in locks.
 *
 * A lock that a dead process of this host left behind may be removed, so two programs on one host must agree on the
 * host's id, and two hosts must not. Borg's id is BORG_HOST_ID, else `fqdn@number`, with the number of Python's
 * uuid.getnode(). That is a network card's address, but which one depends on how Python was built: the first that
 * `ip link` lists (preferring an address that a manufacturer gave), or the first with an IPv4 address (libuuid). We
 * write the former, and know the latter as this host's too. Where there is no card, Python invents a number for each
 * process; we take one that stays.
 *
 * Source: Borg 1.4.5, platform/base.py (getfqdn, hostid, get_process_id), platform/posix.pyx (process_alive);
 * CPython 3.14, uuid.py (_ip_getnode, _unix_getnode); util-linux, libuuid/gen_uuid.c (get_node_id).
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { Environment } from '../util/context.ts';
import { getFqdn } from './host-name.ts';
import { isOsError } from './os-error.ts';

export interface ProcessIdentity {
  host: string;
  pid: number;
  /** Borg's is always 0. */
  thread: number;
}

/** A network card as the kernel shows it. */
export interface NetworkCard {
  index: number;
  /** 48-bit hardware address. */
  address: bigint;
  hasIpv4: boolean;
}

/** What the ids are made of; read once. */
export interface HostFacts {
  fqdn: string;
  cards: readonly NetworkCard[];
  /** Stays as long as the system does. */
  machineId: string;
}

let known: HostFacts | undefined;

/** The id that our locks carry. */
export function getHostId(env: Environment, facts?: HostFacts): string {
  return env.BORG_HOST_ID || hostIds((facts ??= hostFacts()))[0]!;
}

/** Whether a lock's id is of this host, whichever program here wrote it. */
export function isOwnHost(id: string, env: Environment, facts?: HostFacts): boolean {
  if (env.BORG_HOST_ID) return id === env.BORG_HOST_ID;
  return hostIds((facts ??= hostFacts())).includes(id);
}

export function processIdentity(env: Environment): ProcessIdentity {
  return { host: getHostId(env), pid: process.pid, thread: 0 };
}

/** Answers that mean no, as Borg has them. */
const NO: readonly string[] = ['No', 'NO', 'no', 'N', 'n', '0'];

/**
 * False only if the process was one of this host and is gone. BORG_HOSTNAME_IS_UNIQUE=no says that other machines
 * share this host's id: then nobody can tell. (Borg 1.1 and 1.2 know that variable, 1.4 needs BORG_HOST_ID instead.)
 */
export function processAlive(identity: ProcessIdentity, env: Environment): boolean {
  if (NO.includes(env.BORG_HOSTNAME_IS_UNIQUE ?? '')) return true;
  if (!isOwnHost(identity.host, env) || identity.thread !== 0) return true;
  return localPidAlive(identity.pid);
}

export function localPidAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is someone else's, so it lives.
    return !isOsError(error, 'ESRCH');
  }
}

/** All ids of this host, ours first. */
function hostIds({ fqdn, cards, machineId }: HostFacts): string[] {
  const ordered = cards.filter(({ address }) => address !== 0n).toSorted((a, b) => a.index - b.index);
  const byIp = ordered.find(({ address }) => !isLocallyGiven(address)) ?? ordered[0];
  const byLibuuid = ordered.find(({ hasIpv4 }) => hasIpv4);
  const nodes = [byIp, byLibuuid].filter((card) => card !== undefined).map(({ address }) => address);
  if (byIp === undefined) nodes.push(nodeOf(machineId));
  return [...new Set(nodes)].map((node) => `${fqdn}@${node}`);
}

/** Whether the address was not given by the card's manufacturer. */
function isLocallyGiven(address: bigint): boolean {
  return ((address >> 41n) & 1n) === 1n;
}

/** 48 bits, with the bit set that no card's address has. */
function nodeOf(machineId: string): bigint {
  const digest = createHash('sha256').update(`alcove host id\0${machineId}`).digest();
  return BigInt(digest.readUIntBE(0, 6)) | (1n << 40n);
}

function hostFacts(): HostFacts {
  known ??= { fqdn: getFqdn(hostname()), cards: networkCards(), machineId: machineId() };
  return known;
}

const ETHERNET = '1';

function networkCards(): NetworkCard[] {
  const addresses = networkInterfaces();
  const cards: NetworkCard[] = [];
  for (const name of namesIn('/sys/class/net')) {
    const field = (file: string) => textOf(`/sys/class/net/${name}/${file}`);
    const address = field('address').replaceAll(':', '');
    if (field('type') !== ETHERNET || !/^[0-9a-f]{12}$/.test(address)) continue;
    cards.push({
      index: Number(field('ifindex')),
      address: BigInt(`0x${address}`),
      hasIpv4: addresses[name]?.some(({ family }) => family === 'IPv4') ?? false,
    });
  }
  if (cards.length > 0) return cards;
  // Without /sys, those that have addresses.
  return Object.values(addresses).map((list = [], index) => {
    const address = BigInt(`0x${list[0]?.mac.replaceAll(':', '') ?? 0}`);
    return { index, address, hasIpv4: list.some(({ family }) => family === 'IPv4') };
  });
}

/**
 * The machine's id. In a container also its process namespace, since copies of one image share the rest, and process
 * numbers mean nothing across namespaces.
 */
function machineId(): string {
  const machine = textOf('/etc/machine-id') || textOf('/var/lib/dbus/machine-id');
  const namespace = linkOf('/proc/self/ns/pid');
  return namespace === 'pid:[4026531836]' ? machine : `${machine}\0${namespace}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
