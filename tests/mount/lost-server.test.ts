/** A tree of a repository that a server keeps, when that server dies and one answers again. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSession, type RepositoryOpener } from '../../src/archive/session.ts';
import { Location } from '../../src/format/location.ts';
import { openVfs } from '../../src/mount/open-vfs.ts';
import { openRemoteRepository } from '../../src/remote/open-remote.ts';
import { Scratch } from '../archive/scratch.ts';
import { ALCOVE_SERVER } from '../remote/remote-place.ts';
import { find, readAll } from './crafted-vfs.ts';

/** Tells of each server that it starts. */
const RSH = fileURLToPath(new URL('../remote/breaking-ssh.mjs', import.meta.url));

const open: RepositoryOpener = (context, place, { exclusive, lock, lockWaitSeconds }) =>
  openRemoteRepository(context, place, {
    rsh: RSH,
    remotePath: ALCOVE_SERVER,
    exclusive,
    lock,
    lockWaitSeconds,
  });

it(
  'a tree of a server that dies gives EIO, and the files again when one answers',
  { timeout: 120_000 },
  async () => {
    using scratch = new Scratch();
    await scratch.init('none');
    scratch.write('source/one', 'first');
    scratch.write('source/two', 'second');
    await scratch.create('a');
    const record = scratch.join('servers');
    const ctx = scratch.context({
      env: { PATH: process.env['PATH'] ?? '', HOME: scratch.path, BREAK_RECORD: record, LANG: 'C.UTF-8' },
    });
    const location = Location.parse(`ssh://host${scratch.join('repository')}`);
    const session = await openSession(ctx, location, { operations: ['read'], open });
    let isUp = false;
    const reopen = () =>
      isUp ? open(ctx, location, {}) : Promise.reject(new Error('there is nobody at the other end'));
    await using vfs = await openVfs(session, { show: { archive: 'a' }, reopen, threads: 0 });
    assert.equal(await readAll(vfs, 'source/one'), 'first');
    const [, pid] = /^server (\d+)$/m.exec(readFileSync(record, 'utf8'))!;
    // The shell and what it started.
    process.kill(-Number(pid), 'SIGKILL');
    await assert.rejects(readAll(vfs, 'source/two'), { code: 'EIO' });
    // What is at hand is not lost.
    assert.equal(await readAll(vfs, 'source/one'), 'first');
    assert.equal((await vfs.attributes(await find(vfs, 'source/two'))).sizeBytes, 6);
    isUp = true;
    const again = () => readAll(vfs, 'source/two').catch(() => '');
    let read = await again();
    // It rests a second between its tries to connect.
    for (; read === ''; read = await again()) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(read, 'second');
    assert.match(ctx.reporter.logged.join('\n'), /nobody at the other end[\s\S]*connected again/);
  },
);
