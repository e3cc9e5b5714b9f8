import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode } from '../../src/msgpack/encode.ts';
import { decodeAcl } from '../../src/platform/acl-text.ts';
import { ROOT_INODE, type Vfs } from '../../src/mount/vfs.ts';
import { versionedName } from '../../src/mount/versioned-name.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';
import type { ArchiveCrafter } from '../archive/crafted-archive.ts';
import { CraftedRepository, find, namesIn, NOW_NS, OWNER, pathsOf, readAll } from './crafted-vfs.ts';

const DIRECTORY = 0o040755;
const SYMLINK = 0o120777;
const FIFO = 0o010644;
const DEVICE = 0o020600;

type Fill = (crafter: ArchiveCrafter) => unknown;

async function archive(fill: Fill): Promise<CraftedRepository> {
  return new CraftedRepository().add('a', fill);
}

async function attributesAt(vfs: Vfs, path: string) {
  return vfs.attributes(await find(vfs, path));
}

const fillTree: Fill = async (crafter) => {
  crafter.add({ path: 'a', mode: DIRECTORY, mtimeNs: 3n }).add({ path: 'a/b', mode: DIRECTORY });
  await crafter.addFile('a/b/c', 'c');
  await crafter.addFile('a/d', 'd');
  await crafter.addFile('e', 'e');
  crafter.add({ path: 'a/part', part: 1 });
};

async function two(): Promise<CraftedRepository> {
  const made = new CraftedRepository();
  await made.add('one', (crafter) => crafter.addFile('f', 'first'));
  return made.add('two', (crafter) => crafter.addFile('f', 'second'));
}

describe('the attributes of a node', () => {
  it('are the item’s', async () => {
    const made = await archive((crafter) =>
      crafter
        .add({ path: 'f', mode: 0o104751, uid: 70_001, gid: 70_002, atimeNs: 1n, mtimeNs: -2n, ctimeNs: 3n })
        .add({ path: 'd', mode: DEVICE, rdev: 0x0501, mtimeNs: 2n ** 62n, birthtimeNs: 9n })
        .add({ path: 'l', mode: SYMLINK, source: 'zürich' }),
    );
    await using vfs = await made.openArchive('a');
    const file = await attributesAt(vfs, 'f');
    assert.deepEqual(file, {
      inode: await find(vfs, 'f'),
      mode: 0o104751,
      nlink: 1,
      uid: 70_001,
      gid: 70_002,
      rdev: 0,
      sizeBytes: 0,
      atimeNs: 1n,
      mtimeNs: -2n,
      ctimeNs: 3n,
      birthtimeNs: -2n,
    });
    const device = await attributesAt(vfs, 'd');
    assert.equal(device.rdev, 0x0501);
    assert.deepEqual([device.atimeNs, device.ctimeNs, device.birthtimeNs], [2n ** 62n, 2n ** 62n, 9n]);
    // Bytes, as lstat(2) has it.
    assert.equal((await attributesAt(vfs, 'l')).sizeBytes, 7);
    assert.equal(toUtf8Lossy(await vfs.readLink(await find(vfs, 'l'))), 'zürich');
  });

  it('have times of birth in archives that have some, not in a directory of archives', async () => {
    const made = await archive((crafter) => crafter.add({ path: 'f' }).add({ path: 'g', birthtimeNs: 9n }));
    await made.add('b', (crafter) => crafter.add({ path: 'f' }));
    await using born = await made.openArchive('a');
    await using other = await made.openArchive('b');
    await using versions = await made.openVersions();
    await using all = await made.openAll();
    const has = [born, other, versions, all].map(({ hasBirthtimes }) => hasBirthtimes);
    assert.deepEqual(has, [true, false, true, false]);
  });

  it('of what no item is about are the default ones', async () => {
    const made = await archive((crafter) => crafter.add({ path: 'a/b' }));
    await using vfs = await made.openArchive('a', { umask: 0o027 });
    for (const inode of [ROOT_INODE, await find(vfs, 'a')]) {
      const { mode, mtimeNs, atimeNs, ctimeNs, uid, gid } = await vfs.attributes(inode);
      assert.equal(mode, 0o040750);
      assert.deepEqual({ uid, gid }, OWNER);
      assert.deepEqual([mtimeNs, atimeNs, ctimeNs], [NOW_NS, NOW_NS, NOW_NS]);
    }
  });

  it('follow uid, gid and umask where these are given, for everything', async () => {
    const made = await archive((crafter) =>
      crafter.add({ path: 'a/f', mode: 0o107777, uid: 5, gid: 6, user: fromUtf8('root') }),
    );
    await using vfs = await made.openArchive('a', { uid: 11, gid: 0, umask: 0o7022 });
    for (const path of ['', 'a', 'a/f']) {
      const { uid, gid } = await attributesAt(vfs, path);
      assert.deepEqual({ uid, gid }, { uid: 11, gid: 0 });
    }
    assert.equal((await attributesAt(vfs, 'a/f')).mode, 0o100755);
  });

  it('have the owner by name, by number where there is no such name or only numbers are wanted', async () => {
    const user = fromUtf8('root');
    const nobody = fromUtf8('no such name here');
    const made = await archive((crafter) =>
      crafter
        .add({ path: 'known', uid: 5, user })
        .add({ path: 'unknown', uid: 5, gid: 6, user: nobody, group: nobody })
        .add({ path: 'numeric', uid: 5, user: null })
        .add({ path: 'negative', uid: -1, gid: -1 }),
    );
    const uids = async (vfs: Vfs) =>
      Promise.all(
        ['known', 'unknown', 'numeric', 'negative'].map(async (path) => (await attributesAt(vfs, path)).uid),
      );
    await using vfs = await made.openArchive('a');
    assert.deepEqual(await uids(vfs), [0, 5, 5, OWNER.uid]);
    assert.equal((await attributesAt(vfs, 'negative')).gid, OWNER.gid);
    await using numeric = await made.openArchive('a', { numericIds: true });
    assert.deepEqual(await uids(numeric), [5, 5, 5, OWNER.uid]);
  });

  it('of an item in many chunks are read from all of them', async () => {
    const chunks = Array.from({ length: 3000 }, () => ({ id: new Uint8Array(32), size: 2, csize: 1 }));
    const made = await archive((crafter) =>
      crafter
        .add({ path: 'before' })
        .add({ path: 'big', chunks, mtimeNs: 77n })
        .add({ path: 'after', mtimeNs: 8n }),
    );
    await using vfs = await made.openArchive('a');
    for (const path of ['big', 'big']) {
      const { sizeBytes, mtimeNs } = await attributesAt(vfs, path);
      assert.deepEqual([sizeBytes, mtimeNs], [6000, 77n]);
    }
    assert.equal((await attributesAt(vfs, 'after')).mtimeNs, 8n);
    assert.equal((await vfs.open(await find(vfs, 'big'))).sizeBytes, 6000);
  });
});

describe('the extended attributes of a node', () => {
  it('are the item’s, empty where they are null', async () => {
    const xattrs = new Map([
      ['user.a', Uint8Array.of(0, 255)],
      ['user.\xff', null],
    ]);
    const made = await archive((crafter) => crafter.add({ path: 'f', xattrs }).add({ path: 'd/g' }));
    await using vfs = await made.openArchive('a');
    const found = await vfs.xattrs(await find(vfs, 'f'));
    assert.deepEqual([...found.keys()], ['user.a', 'user.\xff']);
    assert.deepEqual(
      [...found.values()].map((value) => [...value]),
      [[0, 255], []],
    );
    for (const path of ['', 'd', 'd/g']) assert.equal((await vfs.xattrs(await find(vfs, path))).size, 0);
  });

  it('have ACLs as the kernel has them', async () => {
    const aclAccess = fromUtf8('user::rw-\nuser:no such:r--:70001\ngroup::r--\nmask::r--\nother::---');
    const plain = fromUtf8('user::rwx\ngroup::r-x\nother::r-x');
    const made = await archive((crafter) =>
      crafter
        .add({ path: 'f', aclAccess, aclDefault: plain })
        .add({ path: 'd', mode: DIRECTORY, aclAccess: plain, aclDefault: plain })
        .add({ path: 'broken', aclAccess: fromUtf8('nonsense') }),
    );
    await using vfs = await made.openArchive('a');
    const found = await vfs.xattrs(await find(vfs, 'f'));
    assert.deepEqual([...found.keys()], ['system.posix_acl_access']);
    const entries = decodeAcl(found.get('system.posix_acl_access')!);
    assert.deepEqual(
      entries.map(({ tag, perm }) => [tag, perm]),
      [
        [1, 6],
        [2, 4],
        [4, 4],
        [16, 4],
        [32, 0],
      ],
    );
    assert.equal(entries[1]?.id, 70_001);
    // What says no more than the mode is kept nowhere.
    assert.deepEqual([...(await vfs.xattrs(await find(vfs, 'd'))).keys()], ['system.posix_acl_default']);
    assert.equal((await vfs.xattrs(await find(vfs, 'broken'))).size, 0);
  });
});

describe('hard links', () => {
  it('are names of one node', async () => {
    const made = await archive(async (crafter) => {
      await crafter.addFile('a/one', 'same');
      crafter.add({ path: 'b/two', source: 'a/one' }).add({ path: 'three', source: 'a/one' });
      crafter.add({ path: 'p', mode: FIFO }).add({ path: 'q', mode: FIFO, source: 'p' });
    });
    await using vfs = await made.openArchive('a');
    const inode = await find(vfs, 'a/one');
    assert.deepEqual([await find(vfs, 'b/two'), await find(vfs, 'three')], [inode, inode]);
    assert.equal((await vfs.attributes(inode)).nlink, 3);
    assert.equal(await find(vfs, 'p'), await find(vfs, 'q'));
    assert.equal((await attributesAt(vfs, 'q')).nlink, 2);
  });

  it('whose first name is not shown have its contents, and are names of one node', async () => {
    const made = await archive(async (crafter) => {
      const chunk = await crafter.chunk(fromUtf8('same'));
      crafter.add({ path: 'a/one', chunks: [chunk], size: 4, hardlinkMaster: true, mtimeNs: 5n });
      crafter.add({ path: 'b/two', source: 'a/one', mtimeNs: 6n }).add({ path: 'b/three', source: 'a/one' });
      crafter.add({ path: 'a/fifo', mode: FIFO }).add({ path: 'b/fifo', mode: FIFO, source: 'a/fifo' });
    });
    await using vfs = await made.openArchive('a', { paths: ['b'] });
    assert.deepEqual(await pathsOf(vfs), ['b', 'b/two', 'b/three', 'b/fifo']);
    assert.equal(await readAll(vfs, 'b/three'), 'same');
    const { inode, nlink, sizeBytes, mtimeNs } = await attributesAt(vfs, 'b/two');
    assert.deepEqual([await find(vfs, 'b/three'), nlink, sizeBytes, mtimeNs], [inode, 2, 4, 6n]);
    assert.equal((await attributesAt(vfs, 'b/fifo')).nlink, 1);
  });

  it('that lead nowhere are left out, and the log says so', async () => {
    const made = await archive((crafter) =>
      crafter
        .add({ path: 'd', mode: DIRECTORY })
        .add({ path: 'f', source: 'gone' })
        .add({ path: 'g', source: 'd' })
        .add({ path: 'h', source: '../x' }),
    );
    await using vfs = await made.openArchive('a');
    assert.deepEqual(await pathsOf(vfs), ['d']);
    assert.deepEqual(made.logged, [
      'warning: Skipping broken hard link: f -> gone',
      'warning: Skipping broken hard link: g -> d',
      'warning: Skipping broken hard link: h -> ../x',
    ]);
  });

  it('are counted by the names that are shown', async () => {
    const made = await archive(async (crafter) => {
      await crafter.addFile('a', 'x');
      crafter.add({ path: 'b', source: 'a' }).add({ path: 'a', source: 'a' }).add({ path: 'b', source: 'a' });
    });
    await using vfs = await made.openArchive('a');
    assert.equal((await attributesAt(vfs, 'a')).nlink, 2);
  });
});

describe('what is shown of an archive', () => {
  it('is all of it, but for parts of files', async () => {
    const made = await archive(fillTree);
    await using vfs = await made.openArchive('a');
    assert.deepEqual(await pathsOf(vfs), ['a', 'a/b', 'a/b/c', 'a/d', 'e']);
    await using parts = await made.openArchive('a', { considerPartFiles: true });
    assert.equal((await pathsOf(parts)).includes('a/part'), true);
  });

  it('is what paths and patterns leave, with the directories above', async () => {
    const made = await archive(fillTree);
    await using some = await made.openArchive('a', { paths: ['a/b'] });
    assert.deepEqual(await pathsOf(some), ['a', 'a/b', 'a/b/c']);
    assert.equal((await attributesAt(some, 'a')).mtimeNs, NOW_NS);
    await using rest = await made.openArchive('a', { exclude: ['a/b', 'e'] });
    assert.deepEqual(await pathsOf(rest), ['a', 'a/d']);
  });

  it('has no first components where they are stripped', async () => {
    const made = await archive(async (crafter) => {
      await fillTree(crafter);
      crafter.add({ path: 'a/b/link', source: 'a/d' }).add({ path: 'a/b/other', source: 'e' });
    });
    await using vfs = await made.openArchive('a', { stripComponents: 1 });
    assert.deepEqual(await pathsOf(vfs), ['b', 'b/c', 'b/link', 'b/other', 'd']);
    assert.equal(await find(vfs, 'b/link'), await find(vfs, 'd'));
    // Its first name is stripped away altogether.
    assert.equal(await readAll(vfs, 'b/other'), 'e');
  });

  it('of items with the same path is the later one', async () => {
    const made = await archive(async (crafter) => {
      await crafter.addFile('f', 'old');
      await crafter.addFile('d/inside', 'x');
      await crafter.addFile('g', 'a file');
      crafter.add({ path: 'd', mode: DIRECTORY, mtimeNs: 9n });
      await crafter.addFile('f', 'new');
      crafter.add({ path: 'g', mode: DIRECTORY, mtimeNs: 10n });
      await crafter.addFile('g/h', 'below');
    });
    await using vfs = await made.openArchive('a');
    assert.deepEqual(await pathsOf(vfs), ['f', 'd', 'd/inside', 'g', 'g/h']);
    assert.equal(await readAll(vfs, 'f'), 'new');
    assert.equal((await attributesAt(vfs, 'd')).mtimeNs, 9n);
    assert.equal((await attributesAt(vfs, 'g')).mtimeNs, 10n);
    assert.equal(await readAll(vfs, 'g/h'), 'below');
  });

  it('is a file where the archive also has something below its name', async () => {
    const made = await archive(async (crafter) => {
      await crafter.addFile('f', 'file');
      await crafter.addFile('f/below', 'x');
      await crafter.addFile('d/x', 'x');
      await crafter.addFile('d', 'file');
    });
    await using vfs = await made.openArchive('a');
    assert.deepEqual(await pathsOf(vfs), ['f', 'd']);
    assert.equal(await readAll(vfs, 'f'), 'file');
  });

  it('never leads out of it, nor has names that no file system has', async () => {
    const long = 'n'.repeat(1025);
    const made = await archive((crafter) => {
      for (const path of ['..', '../up', 'a/../../up', '/etc/absolute', './dot', 'a//b/./c', '.', '/']) {
        crafter.add({ path });
      }
      crafter
        .add({ path: 'nul\0name' })
        .add({ path: long })
        .add({ path: `ok/${'n'.repeat(300)}` });
      crafter.add({ path: '.', mode: DIRECTORY }).add({ path: '', mode: DIRECTORY });
    });
    await using vfs = await made.openArchive('a');
    const shown = ['etc', 'etc/absolute', 'dot', 'a', 'a/b', 'a/b/c', 'ok', `ok/${'n'.repeat(300)}`];
    assert.deepEqual(await pathsOf(vfs), shown);
    const reasons = made.logged.map((line) => line.replace(/^.*: not shown, has /, ''));
    const dots = '".." in its path';
    assert.deepEqual(reasons, [dots, dots, dots, 'a NUL in its path', 'a name that is too long']);
  });

  it('is a regular file where the mode has no type, or one that does not exist', async () => {
    const made = await archive((crafter) =>
      crafter.add({ path: 'none', mode: 0o640 }).add({ path: 'odd', mode: 0o170640 }),
    );
    await using vfs = await made.openArchive('a');
    assert.equal((await attributesAt(vfs, 'none')).mode, 0o100640);
    assert.equal((await attributesAt(vfs, 'odd')).mode, 0o100640);
  });

  it('fails where the metadata is damaged', async () => {
    const cases: Fill[] = [
      (crafter) => crafter.add({ path: 'f' }).addBytes(Uint8Array.of(0x85)),
      (crafter) => crafter.addBytes(encode([1, 2])),
      (crafter) => crafter.addBytes(encode(new Map([['mode', 1]]))),
      (crafter) =>
        crafter.addBytes(
          encode(
            new Map<string, number | Uint8Array>([
              ['mode', fromUtf8('x')],
              ['path', fromUtf8('x')],
            ]),
          ),
        ),
      (crafter) => crafter.addBytes(encode(new Map([['path', 7]]))),
    ];
    for (const fill of cases) {
      const made = await archive(fill);
      await assert.rejects(made.openArchive('a'), { name: 'IntegrityError' });
    }
    const lost = await archive((crafter) => crafter.add({ path: 'f' }));
    const [, item] = [...lost.objects.keys()];
    await assert.rejects(lost.openArchive('gone'), { name: 'Archive.DoesNotExist' });
    lost.objects.delete(item!);
    await assert.rejects(lost.openArchive('a'), { name: 'Repository.ObjectNotFound' });
  });
});

describe('a repository', () => {
  it('has a directory for each archive, with the archive’s time, and loads none unasked', async () => {
    const made = await two();
    await using vfs = await made.openAll({ umask: 0o022 });
    assert.deepEqual(await namesIn(vfs, ''), ['one', 'two']);
    const { mode, mtimeNs, uid } = await attributesAt(vfs, 'two');
    assert.deepEqual(
      [mode, mtimeNs, uid],
      [DIRECTORY, BigInt(Date.UTC(2024, 0, 2, 12)) * 1_000_000n, OWNER.uid],
    );
    assert.equal((await vfs.xattrs(await find(vfs, 'two'))).size, 0);
    assert.equal(toUtf8Lossy(vfs.path(await find(vfs, 'two'))), 'two');
    assert.equal(made.asked.length, 0);
    assert.equal(await readAll(vfs, 'two/f'), 'second');
    assert.equal(await readAll(vfs, 'one/f'), 'first');
    assert.equal(toUtf8Lossy(vfs.path(await find(vfs, 'one/f'))), 'one/f');
  });

  it('loads an archive once for all who enter it at a time', async () => {
    const made = await two();
    await using vfs = await made.openAll();
    const top = await find(vfs, 'one');
    const inodes = await Promise.all(Array.from({ length: 5 }, async () => vfs.lookup(top, fromUtf8('f'))));
    assert.equal(new Set(inodes).size, 1);
    const { id } = made.archives.get('one')!;
    assert.equal(made.asked.filter((asked) => asked === Buffer.from(id).toString('hex')).length, 1);
  });

  it('gives EIO for an archive that can’t be loaded, and tries again', async () => {
    const made = await two();
    await using vfs = await made.openAll();
    made.beforeGet = () => {
      throw new Error('the disk is on fire');
    };
    const top = await find(vfs, 'one');
    await assert.rejects(namesIn(vfs, 'one'), { code: 'EIO' });
    await assert.rejects(async () => vfs.lookup(top, fromUtf8('f')), { code: 'EIO' });
    assert.match(made.logged[0]!, /^error: Archive one can't be loaded: the disk is on fire$/);
    assert.deepEqual(await namesIn(vfs, ''), ['one', 'two']);
    made.beforeGet = () => {};
    assert.equal(await readAll(vfs, 'one/f'), 'first');
  });

  it('leaves out archives whose names can’t be those of directories', async () => {
    const made = await two();
    const entry = made.archives.get('one')!;
    for (const name of ['..', '', 'x'.repeat(1025)]) made.archives.set(name, entry);
    await using vfs = await made.openAll();
    assert.deepEqual(await namesIn(vfs, ''), ['one', 'two']);
    assert.equal(made.logged.length, 3);
  });

  it('tells archives of the same id apart', async () => {
    const made = await two();
    made.archives.set('again', made.archives.get('one')!);
    await using vfs = await made.openAll();
    assert.equal(await readAll(vfs, 'again/f'), 'first');
    assert.notEqual(await find(vfs, 'again/f'), await find(vfs, 'one/f'));
  });

  it('closes the repository when it is closed', async () => {
    const made = await two();
    const vfs = await made.openAll();
    await vfs.close();
    assert.equal(made.closed, 1);
    await assert.rejects(namesIn(vfs, 'one'), { code: 'EIO' });
  });
});

describe('the versions view', () => {
  it('has a directory for each file, and in it a file for each version', async () => {
    const made = new CraftedRepository();
    for (const contents of ['one', 'one', 'two', 'one']) {
      await made.add(`a${made.archives.size}`, async (crafter) => {
        crafter.add({ path: 'd', mode: DIRECTORY, mtimeNs: BigInt(made.archives.size) });
        await crafter.addFile('d/f.txt', contents);
        crafter.add({ path: 'd/empty', chunks: [] });
        crafter.add({ path: 'd/link', mode: SYMLINK, source: contents }).add({ path: 'd/fifo', mode: FIFO });
      });
    }
    await using vfs = await made.openVersions();
    assert.deepEqual(await pathsOf(vfs), [
      'd',
      'd/f.txt',
      'd/f.txt/f.00001.txt',
      'd/f.txt/f.00002.txt',
      'd/f.txt/f.00003.txt',
      'd/empty',
      'd/empty/empty.00001',
      'd/link',
      'd/link/link',
      'd/fifo',
      'd/fifo/fifo',
    ]);
    const read = async (version: number) => readAll(vfs, `d/f.txt/f.0000${version}.txt`);
    assert.deepEqual([await read(1), await read(2), await read(3)], ['one', 'two', 'one']);
    assert.equal((await attributesAt(vfs, 'd')).mtimeNs, 3n);
  });

  it('keeps hard links together, also those whose first name is not shown', async () => {
    const made = new CraftedRepository();
    for (const contents of ['old', 'new']) {
      await made.add(contents, async (crafter) => {
        const chunk = await crafter.chunk(fromUtf8(contents));
        crafter.add({ path: 'a', chunks: [chunk], hardlinkMaster: true });
        crafter.add({ path: 'b', source: 'a' }).add({ path: 'c', source: 'a' });
        crafter.add({ path: 'p', mode: FIFO }).add({ path: 'q', mode: FIFO, source: 'p' });
      });
    }
    await using vfs = await made.openVersions();
    assert.equal(await find(vfs, 'a/a.00002'), await find(vfs, 'c/c.00002'));
    assert.equal(await find(vfs, 'p/p'), await find(vfs, 'q/q'));
    assert.equal((await attributesAt(vfs, 'b/b.00001')).nlink, 3);
    assert.equal(await readAll(vfs, 'b/b.00001'), 'old');
    await using rest = await made.openVersions({ exclude: ['a'] });
    assert.equal(await find(rest, 'b/b.00002'), await find(rest, 'c/c.00002'));
    assert.equal((await attributesAt(rest, 'c/c.00002')).nlink, 2);
    assert.equal(await readAll(rest, 'c/c.00002'), 'new');
  });
});

it('versionedName() puts the number before the extension, as Python cuts names', () => {
  const rows = [
    ['a.txt', 'a.00012.txt'],
    ['plain', 'plain.00012'],
    ['a.tar.gz', 'a.tar.00012.gz'],
    ['.bashrc', '.bashrc.00012'],
    ['..a', '..a.00012'],
    ['..a.b', '..a.00012.b'],
    ['a.', 'a.00012.'],
    ['...', '....00012'],
  ];
  for (const [name, wanted] of rows) assert.equal(toUtf8Lossy(versionedName(fromUtf8(name!), 12)), wanted);
});
