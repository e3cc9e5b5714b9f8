/**
 * A program that goes on in the background. Node can't fork, so the process starts itself again, with its terminal and all
 * that it inherited; that one does the work from the start, asks and says what there is to ask and say, and when it is
 * ready it leaves the terminal and tells the first process, which ends.
 */
import { spawn, type StdioOptions } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Readable } from 'node:stream';
import type { Environment } from '../util/context.ts';
import { READY_VARIABLE } from './background-variable.ts';
import { cFunction } from './libc.ts';
import { lastOsError } from './os-error.ts';
import { onSignals } from './signals.ts';

const PASSPHRASE_VARIABLE = 'BORG_PASSPHRASE_FD';

const setsid = cFunction<[]>('int setsid()');
const dup2 = cFunction<[number, number]>('int dup2(int from, int to)');

/** How the first process ends: with the second one ready, or with its exit code. */
export type BackgroundStart = { readonly ready: true } | { readonly ready: false; readonly exitCode: number };

/** Starts this program again, with the same arguments. Signals that would end this process end that one. */
export async function startInBackground(env: Environment): Promise<BackgroundStart> {
  const passphraseFd = Number(env[PASSPHRASE_VARIABLE] ?? -1);
  const stdio: Exclude<StdioOptions, string> = ['inherit', 'inherit', 'inherit'];
  const readyFd = passphraseFd === 3 ? 4 : 3;
  stdio[readyFd] = 'pipe';
  if (Number.isInteger(passphraseFd) && passphraseFd > 2) stdio[passphraseFd] = passphraseFd;
  for (let fd = 3; fd < stdio.length; fd++) stdio[fd] ??= 'ignore';
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    argv0: process.argv0,
    stdio,
    env: { ...env, [READY_VARIABLE]: String(readyFd) },
  });
  const { promise, resolve, reject } = Promise.withResolvers<BackgroundStart>();
  child.once('error', reject);
  child.once('exit', (code, signal) => {
    const exitCode = code ?? 128 + (signal === null ? 0 : osConstants.signals[signal]);
    resolve({ ready: false, exitCode });
  });
  const ready = child.stdio[readyFd] as Readable;
  ready.once('data', () => resolve({ ready: true }));
  ready.on('error', () => {});
  // Ctrl-C reaches both; the others only this one.
  using _guard = onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], (signal) => {
    if (signal !== 'SIGINT') child.kill(signal);
  });
  const start = await promise;
  ready.destroy();
  child.unref();
  return start;
}

/** In the second process: leaves the terminal and the folder, and tells the first process that it may end. */
export function enterBackground(env: Environment): void {
  const readyFd = Number(env[READY_VARIABLE]);
  // It leads no group of processes, so this can't fail; and were it so, it would only stay at its terminal.
  setsid();
  process.chdir('/');
  const nowhere = openSync('/dev/null', constants.O_RDWR);
  for (const fd of [0, 1, 2]) if (dup2(nowhere, fd) < 0) throw lastOsError('dup2');
  closeSync(nowhere);
  try {
    writeSync(readyFd, 'ready');
  } catch {
    // The first process is gone; nobody waits.
  }
  closeSync(readyFd);
}
