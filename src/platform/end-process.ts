import { cFunction } from './libc.ts';

const endProcess = cFunction<[number]>('void _exit(int status)');

/**
 * Ends the process now, whatever its threads are at. process.exit() stops them first: one that is in a call of a native
 * module then takes the process with it, with a dump and another status.
 */
export function endProcessNow(status: number): never {
  endProcess(status);
  throw new Error('_exit() came back');
}
