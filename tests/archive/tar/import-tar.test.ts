import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { exportTar, type ExportTarOptions } from '../../../src/archive/tar/export-tar.ts';
import { importTar, type ImportTarOptions } from '../../../src/archive/tar/import-tar.ts';
import { Archive } from '../../../src/archive/archive.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { encodeItem, type Item } from '../../../src/format/item.ts';
import { TAR_TYPE } from '../../../src/format/tar-header.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { noise } from '../../noise.ts';
import { Scratch } from '../scratch.ts';
import { END, longName, member, paxHeader, tar } from './crafted-tar.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = new Scratch();
  await scratch.init('none');
});
afterEach(() => scratch[Symbol.dispose]());

const defaults = {
  name: 'a',
  cmdline: ['alcove'],
  checkpointIntervalSeconds: 0,
  progress: false,
  threads: 1,
};
const PATH = process.env['PATH'] ?? '';

async function importBytes(
  bytes: Uint8Array,
  options: Partial<ImportTarOptions> = {},
  ctx = scratch.context({ env: { PATH } }),
): Promise<{ statuses: string[]; warnings: string[]; logged: string[]; files: number }> {
  scratch.write('some.tar', bytes);
  await using session = await scratch.open(ctx);
  const file = { path: fromUtf8('some.tar') };
  const { statistics } = await importTar(session, { ...defaults, file, ...options });
  const { statuses, warnings, logged } = ctx.reporter;
  return { statuses, warnings: warnings.map(({ message }) => message), logged, files: statistics.files };
}

async function exportBytes(name: string, options: Partial<ExportTarOptions> = {}): Promise<Buffer> {
  const ctx = scratch.context({ env: { PATH } });
  await using session = await scratch.open(ctx);
  const archive = await Archive.open(session, name);
  const file = { path: fromUtf8('out.tar') };
  await exportTar(ctx, archive, { file, matcher: new PatternMatcher(), threads: 1, ...options });
  return readFileSync(scratch.join('out.tar'));
}

const everything = tar(
  member('./d/', { type: TAR_TYPE.directory, mode: 0o755n }),
  member('./d/f', { contents: 'contents' }),
  member('/d/../../up', { contents: noise(700_000, 1) }),
  member('h', { type: TAR_TYPE.link, linkName: fromUtf8('./d/f') }),
  member('s', { type: TAR_TYPE.symlink, linkName: fromUtf8('/etc/passwd'), user: new Uint8Array(0) }),
  member('p', { type: TAR_TYPE.fifo }),
  member('b', { type: TAR_TYPE.blockDevice, deviceMajor: 8n, deviceMinor: 1n }),
  member('c', { type: TAR_TYPE.characterDevice, deviceMajor: 1n, deviceMinor: 3n }),
  member('v', { type: 'V', contents: 'volume' }),
  END,
);

describe('importTar()', () => {
  for (const filter of [undefined, 'cat']) {
    it(`makes items of members${filter ? ', of a pipe' : ''}`, async () => {
      const { statuses, warnings, files } = await importBytes(everything, { filter });
      assert.deepEqual(statuses, ['d ./d', 'A d/f', 'A up', 'h h', 's s', 'f p', 'b b', 'c c', 'E v']);
      assert.deepEqual(warnings, ["v: Unsupported tarinfo type b'V'"]);
      assert.equal(files, 4);
      const items = await scratch.items('a');
      const [folder, file, up, hard, symbolic, , block] = items;
      assert.deepEqual(folder, {
        path: fromUtf8('d'),
        mode: 0o040755,
        uid: 0,
        gid: 0,
        user: fromUtf8('anna'),
        group: null,
        mtimeNs: 1_000_000_000_000n,
      });
      assert.deepEqual([file!.mode, file!.size, file!.chunks!.length], [0o100644, 8, 1]);
      assert.equal(up!.size, 700_000);
      assert.deepEqual(
        [hard!.mode, toUtf8Lossy(hard!.source!), hard!.chunks],
        [0o100644, './d/f', undefined],
      );
      assert.deepEqual(
        [symbolic!.mode, toUtf8Lossy(symbolic!.source!), symbolic!.user],
        [0o120644, '/etc/passwd', null],
      );
      assert.equal(block!.rdev, 0x801);
      assert.deepEqual((await scratch.contents('a')).get('up'), Buffer.from(noise(700_000, 1)));
    });
  }

  it('reads many files from a pipe by several threads, in their order', async () => {
    const contents = Array.from({ length: 100 }, (_, index) => noise((index * 7919) % 400_000, index));
    const members = contents.map((bytes, index) => member(`f${index}`, { contents: bytes }));
    await importBytes(tar(...members, END), { filter: 'cat', threads: 2 });
    const found = await scratch.contents('a');
    assert.deepEqual(
      [...found.keys()],
      contents.map((_, index) => `f${index}`),
    );
    for (const [index, bytes] of contents.entries())
      assert.ok(found.get(`f${index}`)!.equals(bytes), `f${index}`);
  });

  it('keeps times before 1970 and after 2038', async () => {
    await importBytes(
      tar(
        member('old', { mtimeS: -5n }),
        member('new', { mtimeS: 5_000_000_000n }),
        member('never', { mtimeS: 2n ** 70n }),
        END,
      ),
    );
    const times = (await scratch.items('a')).map(({ mtimeNs }) => mtimeNs);
    assert.deepEqual(times, [-5_000_000_000n, 5_000_000_000_000_000_000n, 9_223_199_236_000_000_000n]);
  });

  it('makes no archive of a damaged tar', async () => {
    for (const filter of [undefined, 'cat']) {
      const cut = everything.subarray(0, 100_000);
      await assert.rejects(importBytes(cut, { filter }), {
        message: /^Error: the tar is damaged at byte 100000: unexpected end of data$/,
      });
    }
    await assert.rejects(
      importBytes(tar(member('d', { type: TAR_TYPE.blockDevice, deviceMajor: 2n ** 40n }), END)),
      {
        message: 'Error: d: a device number of 1099511627776',
      },
    );
    await assert.rejects(importBytes(tar(member('u', { uid: 2n ** 55n }), END)), {
      message: /^Error: u: a user id of/,
    });
    await using session = await scratch.open();
    assert.equal(session.manifest.archives.get('a'), undefined);
  });

  it('says that the filter failed rather than what became of the tar', async () => {
    await assert.rejects(importBytes(everything, { filter: 'sh -c "head -c 3000; exit 7"' }), {
      message: 'Error: filter sh -c "head -c 3000; exit 7" failed, rc=7',
    });
    // All of the tar is there, and the filter is not content all the same.
    await assert.rejects(importBytes(everything, { filter: 'sh -c "cat; exit 7"' }), {
      message: /failed, rc=7$/,
    });
  });

  it('says what stands behind the end', async () => {
    const { logged } = await importBytes(tar(member('a'), END, member('b'), END));
    assert.match(logged.join(), /there is more behind its end/);
    assert.deepEqual(await scratch.paths('a'), ['a']);
  });

  it('leaves a checkpoint where it is interrupted', async () => {
    const controller = new AbortController();
    const ctx = scratch.context({ env: { PATH }, signal: controller.signal });
    const status = ctx.reporter.fileStatus.bind(ctx.reporter);
    ctx.reporter.fileStatus = (letter, path) => {
      status(letter, path);
      if (toUtf8Lossy(path) === 'f5') controller.abort(new DOMException('stop', 'AbortError'));
    };
    const members = Array.from({ length: 2000 }, (_, index) =>
      member(`f${index}`, { contents: `file ${index}` }),
    );
    await assert.rejects(importBytes(tar(...members, END), {}, ctx), { message: /Got Ctrl-C/ });
    const paths = await scratch.paths('a.checkpoint');
    assert.ok(paths.length >= 6 && paths.length < 2000, String(paths.length));
  });
});

const meta = (item: Item) => ({
  'BORG.item.version': '1',
  'BORG.item.meta': Buffer.from(encodeItem(item)).toString('base64'),
});

describe('importTar() of the BORG format', () => {
  const forged: Item = {
    path: fromUtf8('/etc/shadow'),
    mode: 0o104755,
    uid: 7,
    mtimeNs: 123n,
    ctimeNs: 456n,
    size: 99,
    part: 3,
    chunks: [{ id: new Uint8Array(32), size: 99, csize: 99 }],
    xattrs: new Map([['user.x', fromUtf8('\0y')]]),
  };

  it('takes metadata, but neither path, type nor contents, from the records', async () => {
    await importBytes(tar(paxHeader(meta(forged)), member('real', { contents: 'abc' }), END));
    const [item] = await scratch.items('a');
    const { chunks, ...rest } = item!;
    assert.deepEqual(rest, {
      path: fromUtf8('real'),
      mode: 0o104755,
      uid: 7,
      mtimeNs: 123n,
      ctimeNs: 456n,
      size: 3,
      xattrs: forged.xattrs,
    });
    assert.equal((await scratch.contents('a')).get('real')?.toString(), 'abc');
    assert.equal(chunks!.length, 1);
  });

  it('leaves the records aside where they are of another version, or about another type of file', async () => {
    await importBytes(
      tar(
        paxHeader({ ...meta(forged), 'BORG.item.version': '2' }),
        member('a'),
        paxHeader(meta(forged)),
        member('d', { type: TAR_TYPE.directory }),
        END,
      ),
    );
    assert.deepEqual(
      (await scratch.items('a')).map(({ uid }) => uid),
      [0, 0],
    );
  });

  it('refuses records that are damaged', async () => {
    for (const text of ['!!!', 'gaRwYXRo', Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]).toString('base64')]) {
      const records = { 'BORG.item.version': '1', 'BORG.item.meta': text };
      await assert.rejects(importBytes(tar(paxHeader(records), member('a'), END)), {
        message: /^Error: a: BORG\.item\.meta: /,
      });
    }
  });
});

describe('exportTar()', () => {
  it('gives back the tar that was imported, but for what archives do not keep', async () => {
    const plain = tar(
      member('d/', { type: TAR_TYPE.directory }),
      longName('d/'.padEnd(200, 'n')),
      member('d/'.padEnd(100, 'n'), { contents: noise(300_000, 2), uid: 5_000_000n }),
      member('s', { type: TAR_TYPE.symlink, linkName: fromUtf8('t') }),
      END,
    );
    await importBytes(plain);
    const bytes = await exportBytes('a');
    assert.equal(bytes.length % 10_240, 0);
    await importBytes(bytes, { name: 'b' });
    assert.deepEqual(await scratch.items('b'), await scratch.items('a'));
  });

  for (const format of ['PAX', 'BORG'] as const) {
    it(`keeps long and foreign names in the format ${format}`, async () => {
      const name = Buffer.from([...Array<number>(120).fill(0x6e), 0xe9]);
      await importBytes(
        tar(paxHeader({ uid: '5000000', path: 'p\u00fcth' }), member('x', { contents: 'x' }), END),
      );
      await importBytes(
        tar(member('y', { linkName: Uint8Array.from(name.subarray(30)), type: TAR_TYPE.symlink }), END),
        { name: 'b' },
      );
      for (const archive of ['a', 'b']) {
        await importBytes(await exportBytes(archive, { format }), { name: `${archive}2` });
        assert.deepEqual(await scratch.items(`${archive}2`), await scratch.items(archive));
      }
    });
  }

  it('fails where the filter does, and where it stops reading', async () => {
    await importBytes(everything);
    await assert.rejects(exportBytes('a', { filter: 'sh -c "cat >/dev/null; exit 3"' }), {
      message: /failed, rc=3$/,
    });
    await assert.rejects(exportBytes('a', { filter: 'true' }), {
      message: /the filter ended before it had read all/,
    });
    await assert.rejects(exportBytes('a', { filter: 'no-such-program' }), {
      message: /process creation failed/,
    });
    await assert.rejects(exportBytes('a', { file: { path: fromUtf8('no/such/folder') } }), {
      message: /No such file/,
    });
  });

  it('names the file whose contents are gone', async () => {
    await importBytes(everything);
    const ctx = scratch.context();
    await using session = await scratch.open(ctx);
    const archive = await Archive.open(session, 'a');
    const [, file] = await Array.fromAsync(archive.items());
    await session.repository.delete(file!.chunks![0]!.id);
    const options = { file: { path: fromUtf8('out.tar') }, matcher: new PatternMatcher(), threads: 1 };
    await assert.rejects(exportTar(ctx, archive, options), { name: 'Repository.ObjectNotFound' });
    assert.match(ctx.reporter.logged.join(), /error: d\/f: contents are missing or damaged/);
  });
});
