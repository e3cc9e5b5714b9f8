/** What a kernel asks of a tree that is mounted, and how often. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { OPCODE } from '../../../src/mount/fuse/protocol.ts';
import { decodeRequest } from '../../../src/mount/fuse/request.ts';
import { FuseSession } from '../../../src/mount/fuse/session.ts';
import type { Vfs } from '../../../src/mount/vfs.ts';
import { FuseDevice } from '../../../src/platform/fuse-device.ts';
import { mountFuse, unmountFuse } from '../../../src/platform/fuse-mount.ts';
import { SilentReporter } from '../../../src/util/reporter.ts';
import { noise } from '../../noise.ts';
import { CraftedRepository } from '../crafted-vfs.ts';
import { mountObstacle } from './mount-obstacle.ts';

const FILES = 50;
const run = promisify(execFile);

/** Mounts the tree, runs a program there, and says what it printed and how many requests of each kind that took. */
async function askAt(vfs: Vfs, command: string) {
  const path = mkdtempSync(join(tmpdir(), 'alcove-mounted-'));
  const asked = new Map<number, number>();
  const mountpoint = Buffer.from(path);
  try {
    using device = new FuseDevice(
      await mountFuse(mountpoint, { source: 'test', flags: ['ro'], options: [], env: process.env }),
    );
    const session = new FuseSession(vfs, {
      send: (parts) => device.send(parts),
      reporter: new SilentReporter(),
      heedsAcls: false,
    });
    const serving = device.serve({
      handle: (message) => {
        const { opcode } = decodeRequest(message);
        asked.set(opcode, (asked.get(opcode) ?? 0) + 1);
        return session.handle(message);
      },
      get underWay() {
        return session.underWay;
      },
    });
    let stdout: string;
    try {
      // Not with it as the working directory: a process waits until its child is there, and could not answer meanwhile.
      ({ stdout } = await run('sh', ['-c', `cd '${path}' && ${command}`], { timeout: 60_000 }));
    } finally {
      await unmountFuse(mountpoint, process.env);
    }
    await serving;
    return { stdout, count: (opcode: number) => asked.get(opcode) ?? 0 };
  } finally {
    rmSync(path, { recursive: true });
  }
}

async function archive(birthtimeNs?: bigint): Promise<Vfs> {
  const times = birthtimeNs === undefined ? {} : { birthtimeNs };
  const made = await new CraftedRepository().add('a', (crafter) => {
    for (let file = 0; file < FILES; file++) crafter.add({ path: `f${file}`, mtimeNs: 1n, ...times });
  });
  return made.openArchive('a');
}

describe('a mounted tree', { skip: mountObstacle() }, () => {
  // Node's lstat() asks for times of birth, as GLib does.
  const BIRTHS = `'${process.execPath}' -p 'fs.readdirSync(".").map((name) => fs.lstatSync(name).birthtimeMs).join(" ")'`;

  it('is asked for a time of birth once, if it has none', async () => {
    await using vfs = await archive();
    const { count } = await askAt(vfs, BIRTHS);
    assert.ok(count(OPCODE.STATX) <= 1);
    assert.ok(count(OPCODE.LOOKUP) + count(OPCODE.GETATTR) < FILES / 2);
    assert.ok(count(OPCODE.READDIRPLUS) > 0);
  });

  it('shows times of birth, if it has some', async (test) => {
    await using vfs = await archive(86_400_000_000_000n);
    const { count, stdout } = await askAt(vfs, BIRTHS);
    if (count(OPCODE.STATX) === 0) return test.skip('the kernel does not ask for times of birth');
    assert.equal(stdout.trim(), Array(FILES).fill('86400000').join(' '));
    return undefined;
  });

  it('gives the contents of a file, of however many chunks', async () => {
    const sizes = [...Array.from({ length: 1500 }, (_, index) => index % 3), 100_000, 5, 300_000, 3_000_000];
    const parts = sizes.map((size, index) => noise(size, index + 1));
    const made = await new CraftedRepository().add('a', async (crafter) => {
      const chunks = [];
      for (const part of parts) chunks.push(await crafter.chunk(part));
      crafter.add({ path: 'many', chunks: [...chunks, ...chunks, ...chunks] });
    });
    await using vfs = await made.openArchive('a', { threads: 2 });
    const { stdout } = await askAt(vfs, 'sha256sum < many');
    const digest = createHash('sha256');
    for (const part of [...parts, ...parts, ...parts]) digest.update(part);
    assert.equal(stdout.split(' ')[0], digest.digest('hex'));
  });
});
