/**
 * No counter of AES-CTR is used twice under one key: read from the repository's own bytes, of every object that was
 * ever written, also by a process that was killed.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { envelopeNonce, envelopeNonceBlocks, ENVELOPE_OVERHEAD_BYTES } from '../../src/crypto/envelope.ts';
import {
  ENTRY_HEADER_SIZE_BYTES,
  MAGIC_SIZE_BYTES,
  PUT_HEADER_SIZE_BYTES,
  TAG_PUT,
} from '../../src/format/segment.ts';
import { decodeNonce, encodeNonce } from '../../src/format/nonce.ts';
import { campaignRandom, type Random } from '../random.ts';
import { alcoveCommand, Workspace } from '../workspace.ts';
import { noise } from '../noise.ts';

/** What is known of the counters of one key: who has which blocks. */
class Ledger {
  /** By MAC: compaction copies an object as it is, which uses no counter. */
  readonly #seen = new Map<string, { first: bigint; end: bigint; where: string }>();

  /** Takes in the whole objects of all segments, committed or not. */
  read(repository: string): void {
    const data = join(repository, 'data');
    for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
      if (/(?:^|\/)\d+$/.test(name)) this.#readSegment(join(data, name));
    }
  }

  get size(): number {
    return this.#seen.size;
  }

  assertDisjoint(): void {
    const ranges = [...this.#seen.values()].toSorted((a, b) => (a.first < b.first ? -1 : 1));
    for (const [index, range] of ranges.entries()) {
      const before = ranges[index - 1];
      if (before === undefined || before.end <= range.first) continue;
      assert.fail(`${before.where} and ${range.where} share counters from ${range.first} on`);
    }
  }

  #readSegment(path: string): void {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      // A folder of segments has such a name too.
      if ((error as NodeJS.ErrnoException).code === 'EISDIR') return;
      throw error;
    }
    for (let at = MAGIC_SIZE_BYTES; at + ENTRY_HEADER_SIZE_BYTES <= bytes.length;) {
      const sizeBytes = bytes.readUInt32LE(at + 4);
      const end = at + sizeBytes;
      if (sizeBytes < ENTRY_HEADER_SIZE_BYTES || end > bytes.length) return;
      if (bytes[at + 8] === TAG_PUT)
        this.#add(bytes.subarray(at + PUT_HEADER_SIZE_BYTES, end), `${path}:${at}`);
      at = end;
    }
  }

  #add(envelope: Uint8Array, where: string): void {
    const first = envelopeNonce(envelope);
    const end = first + BigInt(envelopeNonceBlocks(envelope.length - ENVELOPE_OVERHEAD_BYTES));
    const mac = Buffer.from(envelope.subarray(1, 33)).toString('hex');
    if (!this.#seen.has(mac)) this.#seen.set(mac, { first, end, where });
  }
}

class Host {
  readonly #space: Workspace;
  readonly #random: Random;
  readonly ledger = new Ledger();
  /** Processes that were killed before they ended. */
  kills = 0;
  #archives = 0;

  constructor(space: Workspace, random: Random) {
    this.#space = space;
    this.#random = random;
    mkdirSync(space.join('tree'));
  }

  /** Backs up into the repository; kills the process once it has written `killAfterBytes` there. */
  async create(repository: string, killAfterBytes?: number): Promise<void> {
    const { path, env } = this.#space;
    const number = this.#archives++;
    for (let i = 0; i < 6; i++) {
      writeFileSync(join(path, 'tree', `file-${i}`), noise(400_000, this.#random.integer(2 ** 31)));
    }
    const archive = `${repository}::archive-${number}`;
    const args = ['create', '--chunker-params', 'buzhash,12,18,14,4095', archive, 'tree'];
    const before = this.#sizeBytes(repository);
    const child = spawn(process.execPath, [alcoveCommand, ...args], {
      cwd: path,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    const killDue = (): boolean => this.#sizeBytes(repository) >= before + (killAfterBytes ?? Infinity);
    const timer = setInterval(() => void (killDue() && child.kill('SIGKILL')), 5);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal !== null) this.kills++;
      if (code === 0 || signal !== null) resolve();
      else reject(new Error(`${args.join(' ')}: exit ${code}\n${stderr}`));
    });
    await promise;
    clearInterval(timer);
    this.look(repository);
  }

  #sizeBytes(repository: string): number {
    const data = this.#space.join(repository, 'data');
    let sizeBytes = 0;
    for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
      sizeBytes += statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0;
    }
    return sizeBytes;
  }

  look(repository: string): void {
    this.ledger.read(this.#space.join(repository));
    this.ledger.assertDisjoint();
  }
}

test('no object ever written shares counters with another, whatever happens to processes and marks', async () => {
  using space = new Workspace();
  const random = campaignRandom('nonces');
  const host = new Host(space, random);
  space.alcove(['init', '--encryption', 'repokey', 'repo']);
  const id = /^id = (.*)$/m.exec(readFileSync(space.join('repo', 'config'), 'utf8'))![1]!;
  const local = space.join('home', '.config', 'borg', 'security', id, 'nonce');
  const remote = space.join('repo', 'nonce');

  await host.create('repo');
  for (let kill = 0; kill < 6; kill++) await host.create('repo', 100_000 + random.integer(2_000_000));
  // What the killed processes left over is cleared away only now.
  await host.create('repo');
  const mark = decodeNonce(readFileSync(local, 'utf8'));

  for (const lowered of [0n, mark / 2n]) {
    writeFileSync(remote, encodeNonce(lowered));
    await host.create('repo', 100_000);
    await host.create('repo');
  }
  rmSync(remote);
  await host.create('repo');
  rmSync(local);
  await host.create('repo', 1_000_000);
  await host.create('repo');
  assert.ok(decodeNonce(readFileSync(local, 'utf8')) > mark);

  space.alcove(['delete', 'repo::archive-0']);
  host.look('repo');
  space.alcove(['compact', '--threshold', '0', 'repo']);
  host.look('repo');
  assert.ok(host.kills >= 3, `${host.kills} kills`);
  assert.ok(host.ledger.size > 1000, `${host.ledger.size} objects`);
});

test('a repository put back in time, and copies of it used at once, get counters of their own', async () => {
  using space = new Workspace();
  const host = new Host(space, campaignRandom('nonces'));
  space.alcove(['init', '--encryption', 'repokey-blake2', 'repo']);
  await host.create('repo');
  cpSync(space.join('repo'), space.join('old'), { recursive: true });
  await host.create('repo');
  await host.create('repo');
  // A copy from before: its nonce file and its manifest are old.
  rmSync(space.join('repo'), { recursive: true });
  cpSync(space.join('old'), space.join('repo'), { recursive: true });
  const [id] = readdirSync(space.join('home', '.config', 'borg', 'security'));
  const forget = (): void => {
    rmSync(space.join('home', '.config', 'borg', 'security', id!, 'manifest-timestamp'), { force: true });
    rmSync(space.join('home', '.cache'), { recursive: true, force: true });
  };
  forget();
  await host.create('repo');
  forget();
  await host.create('old');
  forget();
  await host.create('repo');
  assert.ok(host.ledger.size > 500, `${host.ledger.size} objects`);
});
