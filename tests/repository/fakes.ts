/** A context that says nothing, a lock identity, ids and data. */
import { createHash } from 'node:crypto';
import type { LockIdentity } from '../../src/repository/exclusive-lock.ts';
import type { Context } from '../../src/util/context.ts';
import { SilentReporter } from '../../src/util/reporter.ts';
import type { LogLevel } from '../../src/util/reporter.ts';

/** Remembers what was logged, other than debug lines. */
export class LoggingReporter extends SilentReporter {
  readonly lines: string[] = [];

  override log(level: LogLevel, message: string): void {
    if (level !== 'debug') this.lines.push(`${level}: ${message}`);
  }
}

export interface TestContext extends Context {
  readonly reporter: LoggingReporter;
}

export function testContext(cwd = '/'): TestContext {
  return {
    env: { BORG_HOST_ID: 'test-host' },
    cwd,
    reporter: new LoggingReporter(),
    signal: new AbortController().signal,
    nowNs: () => 1_767_323_045_678_901_234n,
    readPassphrase: async () => undefined,
  };
}

/** Processes of number 1000 and above are dead, as long as they are on this host. */
export function identity(pid = 1, host = 'test-host'): LockIdentity {
  return {
    owner: { host, pid, thread: 0 },
    isAlive: (owner) => owner.host !== host || owner.pid < 1000,
  };
}

export function idOf(name: string | number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(String(name)).digest());
}

/** Bytes that depend on the name, of this length. */
export function dataOf(name: string | number, sizeBytes = 50): Uint8Array {
  const data = new Uint8Array(sizeBytes);
  const seed = createHash('sha256').update(`data ${name}`).digest();
  for (let i = 0; i < sizeBytes; i++) data[i] = seed[i % 32]! ^ (i >>> 5);
  return data;
}
