/** What the keys see of the world, in memory. */
import { InvalidRPCMethod } from '../../src/errors.ts';
import type { KeyRepository } from '../../src/keys/key-storage.ts';
import type { Context, Environment } from '../../src/util/context.ts';
import { SilentReporter, type LogLevel, type Question } from '../../src/util/reporter.ts';
import { fromHex } from '../../src/util/bytes.ts';

export interface LogLine {
  level: LogLevel;
  message: string;
  msgid: string | undefined;
}

/** Remembers what was said; answers questions as told. */
export class FakeReporter extends SilentReporter {
  readonly lines: LogLine[] = [];
  readonly questions: Question[] = [];
  readonly told: string[] = [];
  readonly shown: string[] = [];
  answer = false;

  override log(level: LogLevel, message: string, options?: { logger?: string; msgid?: string }): void {
    this.lines.push({ level, message, msgid: options?.msgid });
  }
  override ask(question: Question): Promise<boolean> {
    this.questions.push(question);
    return Promise.resolve(this.answer);
  }
  tell(text: string): void {
    this.told.push(text);
  }
  show(text: string): void {
    this.shown.push(text);
  }
}

export interface FakeContext extends Context {
  readonly reporter: FakeReporter;
  readonly prompts: string[];
}

/** `typed` are the answers to passphrase prompts, in order; none means that there is no terminal. */
export function fakeContext(env: Environment = {}, typed?: readonly string[]): FakeContext {
  const left = typed === undefined ? undefined : [...typed];
  const prompts: string[] = [];
  return {
    env: { PATH: '/usr/bin:/bin', ...env },
    cwd: '/',
    reporter: new FakeReporter(),
    signal: new AbortController().signal,
    nowNs: () => 0n,
    prompts,
    readPassphrase(prompt) {
      prompts.push(prompt);
      return Promise.resolve(left?.shift());
    },
  };
}

export class FakeRepository implements KeyRepository {
  readonly id: Uint8Array;
  readonly idHex: string;
  location = '/path/to/repository';
  supportsNonces = true;
  /** The server says that it does, but does not. */
  hasNonceMethods = true;
  keyBlob = '';
  freeNonce: bigint | undefined;

  constructor(idHex: string = '5a'.repeat(32)) {
    this.idHex = idHex;
    this.id = fromHex(idHex);
  }

  loadKey(): Promise<string> {
    return Promise.resolve(this.keyBlob);
  }
  saveKey(blob: string): Promise<void> {
    this.keyBlob = blob;
    return Promise.resolve();
  }
  getFreeNonce(): Promise<bigint | undefined> {
    if (!this.hasNonceMethods) return Promise.reject(new InvalidRPCMethod(['get_free_nonce']));
    return Promise.resolve(this.freeNonce);
  }
  commitNonceReservation(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void> {
    if (startNonce !== this.freeNonce) {
      return Promise.reject(new Error('nonce space reservation with mismatched previous state'));
    }
    this.freeNonce = nextUnreserved;
    return Promise.resolve();
  }
}
