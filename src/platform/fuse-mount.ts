/**
 * Mounting by FUSE: root does it itself, others ask fusermount3, which hands back the open device over a socket.
 *
 * Source: libfuse 3, lib/mount.c, util/fusermount.c; Linux, fs/fuse/inode.c (fuse_fs_parameters).
 */
import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, statfsSync, statSync } from 'node:fs';
import type { Environment } from '../util/context.ts';
import { addressOf, cFunction, cString, lastErrno } from './libc.ts';
import { errnoNumber, isOsError, lastOsError, OsError } from './os-error.ts';
import { findProgram, prepareSubprocessEnvironment, spawnProcess } from './process.ts';
import { setReadAhead } from './read-ahead-size.ts';
import { Readiness } from './readiness.ts';

export interface FuseMountOptions {
  /** What is shown as the device. */
  readonly source: string;
  /** The type is `fuse`, and this behind a point. */
  readonly subtype?: string | undefined;
  /** MS_RDONLY and others, by their names in `MOUNT_FLAGS`. */
  readonly flags: readonly MountFlag[];
  /** For the FUSE of the kernel, e.g. `default_permissions`. */
  readonly options: readonly string[];
  readonly env: Environment;
}

const DEVICE = '/dev/fuse';
const FUSERMOUNTS = ['fusermount3', 'fusermount'];
/** As Borg has them: the first that there is says what is wrong, and its exit code is that of the command. */
const UNMOUNTERS = [['fusermount', '-u'], ['fusermount3', '-u'], ['umount']];
const MNT_DETACH = 2;
/** As much as one request may ask for: each costs two turns from one process to the other (128 KiB: 1.3 times as long). */
export const READ_AHEAD_BYTES = 2 ** 20;

/** Numbers of mount(2). Source: linux/mount.h. */
export const MOUNT_FLAGS = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  strictatime: 1 << 24,
} as const;
export type MountFlag = keyof typeof MOUNT_FLAGS;

const mount = cFunction<[string, Uint8Array, string, number, string]>(
  'int mount(const char *source, void *target, const char *type, unsigned long flags, const char *data)',
);
const umount2 = cFunction<[Uint8Array, number]>('int umount2(void *target, int flags)');
const socketpair = cFunction<[number, number, number, Int32Array]>(
  'int socketpair(int domain, int type, int protocol, void *sockets)',
);
const recvmsg = cFunction<[number, Uint8Array, number]>(
  'intptr_t recvmsg(int socket, void *message, int flags)',
);
const fcntl = cFunction<[number, number, number]>('int fcntl(int fd, int command, int argument)');
const F_SETFL = 4;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_DONTWAIT = 0x40;

/** Whether there is the device that mounting takes. */
export function hasFuse(): boolean {
  try {
    closeSync(openSync(DEVICE, constants.O_RDWR));
    return true;
  } catch {
    return false;
  }
}

/** Whether the path leads to a directory that can be mounted over. Throws ENOTCONN where nobody serves what is mounted there. */
export function isMountpoint(mountpoint: Uint8Array): boolean {
  const path = Buffer.from(mountpoint);
  try {
    // The kernel remembers the rest of what it was told, also of what nobody serves.
    statfsSync(path);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch (error) {
    if (!isOsError(error) || isOsError(error, 'ENOTCONN')) throw error;
    return false;
  }
}

/**
 * Mounts at an absolute path; gives the device, open without blocking. Throws the operating system's error, and a
 * FusermountFailed where that program has said what is wrong.
 */
export async function mountFuse(mountpoint: Uint8Array, options: FuseMountOptions): Promise<number> {
  if (process.getuid?.() === 0) {
    try {
      return mountAsRoot(mountpoint, options);
    } catch (error) {
      // Root of a container may lack the right, and still have a fusermount3 that works.
      if (!isOsError(error, 'EPERM') || findFusermount(options.env) === undefined) throw error;
    }
  }
  return mountByFusermount(mountpoint, options);
}

/** Takes it out of the tree, also while it is in use: then it lives on for those who use it. */
export async function unmountFuse(mountpoint: Uint8Array, env: Environment): Promise<void> {
  if (process.getuid?.() === 0 && umount2(cString(mountpoint), MNT_DETACH) === 0) return;
  const command = findFusermount(env);
  if (command === undefined) throw new OsError(errnoNumber('EPERM'), 'umount', mountpoint);
  await spawnProcess([command, '-u', '-q', '-z', '--', asText(mountpoint)], { env }).wait();
}

/**
 * Unmounts for the user, who reads what the system's program says; gives its exit code. Also a mountpoint that nobody
 * serves any more.
 */
export async function runUnmount(mountpoint: Uint8Array, env: Environment): Promise<number> {
  const text = asText(mountpoint);
  const argv = UNMOUNTERS.find(([command = '']) => findProgram(command, env) !== undefined);
  // What is no text can't be handed to a program.
  if (argv !== undefined && Buffer.from(text).equals(mountpoint))
    return spawnProcess([...argv, text], { env, stdin: 'inherit', stdout: 'inherit' }).wait();
  if (umount2(cString(mountpoint), 0) !== 0) throw lastOsError('umount', mountpoint);
  return 0;
}

function mountAsRoot(mountpoint: Uint8Array, { source, subtype, flags, options }: FuseMountOptions): number {
  const fd = openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const rootMode = (statSync(Buffer.from(mountpoint)).mode & constants.S_IFMT).toString(8);
    const ids = `user_id=${process.getuid!()},group_id=${process.getgid!()}`;
    const data = [`fd=${fd},rootmode=${rootMode},${ids}`, ...options].join(',');
    const type = subtype === undefined ? 'fuse' : `fuse.${subtype}`;
    const bits = flags.reduce((sum, flag) => sum | MOUNT_FLAGS[flag], 0);
    if (mount(source, cString(mountpoint), type, bits, data) !== 0) throw lastOsError('mount', mountpoint);
    setReadAhead(mountpoint, READ_AHEAD_BYTES);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The program has said what is wrong, to the user. */
export class FusermountFailed extends Error {
  override readonly name = 'FusermountFailed';
}

async function mountByFusermount(mountpoint: Uint8Array, settings: FuseMountOptions): Promise<number> {
  const { source, subtype, flags, options, env } = settings;
  const command = findFusermount(env);
  if (command === undefined) throw new OsError(errnoNumber('ENOENT'), 'spawn', 'fusermount3');
  const sockets = new Int32Array(2);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) !== 0) throw lastOsError('socketpair');
  const [ours, theirs] = sockets as unknown as [number, number];
  const names = [`fsname=${escapeOption(source)}`];
  if (subtype !== undefined) names.push(`subtype=${escapeOption(subtype)}`);
  const list = [...flags, ...names, ...options].join(',');
  try {
    const child = spawn(command, ['-o', list, '--', asText(mountpoint)], {
      stdio: ['ignore', 'inherit', 'inherit', theirs],
      env: { ...prepareSubprocessEnvironment(env), _FUSE_COMMFD: '3' },
    });
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('close', () => resolve());
    });
    closeSync(theirs);
    await new Readiness(ours).wait();
    const fd = receiveDescriptor(ours);
    if (fd === undefined) throw new FusermountFailed(`${command} has not mounted it`);
    await ended;
    fcntl(fd, F_SETFL, constants.O_RDWR | constants.O_NONBLOCK);
    return fd;
  } finally {
    closeSync(ours);
  }
}

/**
 * By recvmsg(2), whose structures are those of machines with pointers of 8 bytes, as all are that Node runs on:
 *
 * | struct  | offset, size, field                                                                      |
 * | ------- | ---------------------------------------------------------------------------------------- |
 * | msghdr  | 16 8 iov, 24 8 iovlen, 32 8 control, 40 8 controllen; 56 in all                          |
 * | iovec   | 0 8 base, 8 8 len                                                                        |
 * | cmsghdr | 0 8 len, 8 4 level, 12 4 type, 16 4 the descriptor                                       |
 *
 * Undefined where the other side has gone without a word.
 */
function receiveDescriptor(socket: number): number | undefined {
  const byte = new Uint8Array(new ArrayBuffer(8));
  const iovec = new BigUint64Array(2);
  const control = new Uint8Array(new ArrayBuffer(64));
  const message = new BigUint64Array(7);
  iovec.set([addressOf(byte), 1n]);
  message.set([addressOf(new Uint8Array(iovec.buffer)), 1n, addressOf(control), 64n], 2);
  const count = recvmsg(socket, new Uint8Array(message.buffer), MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count < 0) throw new OsError(lastErrno(), 'recvmsg');
  const [, , , type, fd] = new Int32Array(control.buffer);
  return count > 0 && type === SCM_RIGHTS ? fd : undefined;
}

function findFusermount(env: Environment): string | undefined {
  return FUSERMOUNTS.find((command) => findProgram(command, env) !== undefined);
}

/** Commas and backslashes part options. */
function escapeOption(text: string): string {
  return text.replaceAll(/[\\,]/g, String.raw`\$&`);
}

function asText(path: Uint8Array): string {
  return Buffer.from(path).toString();
}
