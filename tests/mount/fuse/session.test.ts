import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { beforeEach, describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import { OPCODE } from '../../../src/mount/fuse/protocol.ts';
import { FuseMessageError } from '../../../src/mount/fuse/request.ts';
import { FuseSession } from '../../../src/mount/fuse/session.ts';
import { SilentReporter } from '../../../src/util/reporter.ts';
import { field, readListing, readReply, request, type Asked, type Field, type Reply } from './kernel.ts';
import { DATA, FakeVfs, INODE, MTIME_NS } from './fake-vfs.ts';

const { EACCES, EBADF, EINTR, EINVAL, EIO, ENODATA, ENOSYS, ENOTDIR, ERANGE, EROFS, ESTALE } =
  constants.errno;

let vfs: FakeVfs;
let replies: Reply[];
let session: FuseSession;

function start(options: { heedsAcls?: boolean; onlyUid?: number } = {}): void {
  vfs = new FakeVfs();
  replies = [];
  session = new FuseSession(vfs, {
    send: (parts) => replies.push(readReply(parts)),
    reporter: new SilentReporter(),
    heedsAcls: true,
    ...options,
  });
}

/** What the session says at once. */
function ask(asked: Asked, ...body: Field[]): Reply {
  const before = replies.length;
  void session.handle(request(asked, ...body));
  assert.equal(replies.length, before + 1);
  return replies.at(-1)!;
}

const READ_REST: Field[] = [
  [4, 0],
  [8, 0],
  [4, 0],
  [4, 0],
];

function openFile(): bigint {
  return field(ask({ opcode: OPCODE.OPEN, inode: INODE.file }, [4, 0], [4, 0]).body, 0, 8);
}

function read(handle: bigint, offset: number, size: number, unique = 1): void {
  void session.handle(
    request(
      { opcode: OPCODE.READ, inode: INODE.file, unique },
      [8, handle],
      [8, offset],
      [4, size],
      ...READ_REST,
    ),
  );
}

function list(opcode: number, offset: number, size: number, inode = 1) {
  const { body, error } = ask({ opcode, inode }, [8, 0], [8, offset], [4, size], ...READ_REST);
  assert.equal(error, 0);
  return readListing(body, opcode === OPCODE.READDIRPLUS);
}

function init(major: number, minor: number, flags: number): Reply {
  return ask({ opcode: OPCODE.INIT }, [4, major], [4, minor], [4, 131072], [4, flags], new Uint8Array(48));
}

function statx(): Buffer {
  return ask({ opcode: OPCODE.STATX, inode: INODE.file }, [4, 0], [4, 0], [8, 0], [4, 0], [4, 0xfff]).body;
}

function getXattr(name: string, room: number): Reply {
  return ask({ opcode: OPCODE.GETXATTR, inode: INODE.file }, [4, room], [4, 0], name);
}

function listXattrs(room: number): Reply {
  return ask({ opcode: OPCODE.LISTXATTR, inode: INODE.file }, [4, room], [4, 0]);
}

beforeEach(() => start());

describe('FuseSession', () => {
  it('agrees on what the kernel offers, and on no more', () => {
    const everything = init(7, 45, 0xffffffff).body;
    assert.equal(everything.length, 64);
    assert.equal(field(everything, 0, 4), 7n);
    assert.equal(field(everything, 4, 4), 40n);
    assert.equal(field(everything, 8, 4), 1048576n);
    assert.notEqual(field(everything, 12, 4) & (1n << 20n), 0n);
    assert.equal(field(everything, 20, 4), 4096n);
    assert.equal(field(everything, 28, 2), 256n);
    assert.equal(field(init(7, 31, 0b1001).body, 12, 4), 1n);
  });

  it('leaves ACLs to nobody where the kernel shall not check permissions', () => {
    start({ heedsAcls: false });
    assert.equal(field(init(7, 45, 0xffffffff).body, 12, 4) & (1n << 20n), 0n);
  });

  it('tells a newer kernel its version, and refuses one that is too old', () => {
    assert.equal(field(init(8, 1, 0).body, 0, 4), 7n);
    assert.equal(init(7, 22, 0).error, -EIO);
  });

  it('looks names up, and says for long that there is none', () => {
    const found = ask({ opcode: OPCODE.LOOKUP }, 'file').body;
    assert.equal(found.length, 128);
    assert.equal(field(found, 0, 8), BigInt(INODE.file));
    assert.equal(field(found, 40, 8), BigInt(INODE.file));
    assert.equal(field(found, 48, 8), BigInt(DATA.length));
    const none = ask({ opcode: OPCODE.LOOKUP }, 'other');
    assert.equal(none.error, 0);
    assert.equal(field(none.body, 0, 8), 0n);
    assert.ok(field(none.body, 16, 8) > 300n);
  });

  it('gives attributes with ns, also of times before 1970', () => {
    const { body } = ask({ opcode: OPCODE.GETATTR, inode: INODE.file }, [4, 0], [4, 0], [8, 0]);
    assert.equal(body.length, 104);
    const time = BigInt.asIntN(64, field(body, 16 + 32, 8)) * 1_000_000_000n + field(body, 16 + 52, 4);
    assert.equal(time, MTIME_NS);
    assert.equal(field(body, 16 + 60, 4), 0o100644n);
    assert.equal(field(body, 16 + 76, 4), 0x801n);
  });

  it('gives the time of birth to statx() where there is one', () => {
    assert.equal(statx().length, 288);
    assert.equal(field(statx(), 32, 4), 0x7ffn);
    vfs.birthtimeNs = 5_000_000_007n;
    assert.equal(field(statx(), 32, 4), 0xfffn);
    assert.deepEqual([field(statx(), 32 + 80, 8), field(statx(), 32 + 88, 4)], [5n, 7n]);
    assert.deepEqual([field(statx(), 32 + 128, 4), field(statx(), 32 + 132, 4)], [8n, 1n]);
  });

  it('has the kernel ask for no time of birth where there is none', () => {
    vfs.hasBirthtimes = false;
    assert.equal(ask({ opcode: OPCODE.STATX, inode: INODE.file }, new Uint8Array(24)).error, -ENOSYS);
  });

  it('opens, reads and releases a file', () => {
    const handle = openFile();
    read(handle, 3, 4);
    assert.deepEqual(replies.at(-1)!.body, DATA.subarray(3, 7));
    ask({ opcode: OPCODE.RELEASE, inode: INODE.file }, [8, handle], [4, 0], [4, 0], [8, 0]);
    assert.equal(vfs.openFiles, 0);
    read(handle, 0, 4);
    assert.equal(replies.at(-1)!.error, -EBADF);
  });

  it('refuses to open for writing', () => {
    for (const flags of [1, 2]) {
      assert.equal(ask({ opcode: OPCODE.OPEN, inode: INODE.file }, [4, flags], [4, 0]).error, -EROFS);
    }
  });

  it('lists a directory in parts, with or without attributes', () => {
    for (const opcode of [OPCODE.READDIR, OPCODE.READDIRPLUS]) {
      const names: string[] = [];
      let offset = 0;
      for (;;) {
        const part = list(opcode, offset, opcode === OPCODE.READDIR ? 70 : 360);
        if (part.length === 0) break;
        assert.ok(part.length <= 2);
        names.push(...part.map(({ name }) => name));
        offset = part.at(-1)!.offset;
      }
      assert.deepEqual(names, ['.', '..', 'file', 'link', 'sub', 'n\xff']);
    }
    const [dot, , file] = list(OPCODE.READDIRPLUS, 0, 4096);
    assert.deepEqual([dot!.node, dot!.type, file!.node, file!.type], [0, 4, INODE.file, 8]);
    assert.equal(list(OPCODE.READDIR, 0, 4096, INODE.sub)[1]!.inode, 1);
  });

  it('gives values of attributes, their sizes, and their list', () => {
    assert.equal(getXattr('user.x', 64).body.toString(), 'value');
    assert.equal(field(getXattr('user.x', 0).body, 0, 4), 5n);
    assert.equal(getXattr('user.x', 4).error, -ERANGE);
    assert.equal(getXattr('user.y', 64).error, -ENODATA);
    assert.equal(listXattrs(64).body.toString('latin1'), 'user.x\0user.\xfe\0');
    assert.equal(field(listXattrs(0).body, 0, 4), 14n);
    assert.equal(listXattrs(13).error, -ERANGE);
  });

  it('gives what links lead to, and what the file system is', () => {
    assert.equal(ask({ opcode: OPCODE.READLINK, inode: INODE.link }).body.toString(), 'file');
    assert.equal(ask({ opcode: OPCODE.READLINK, inode: INODE.file }).error, -EINVAL);
    const { body } = ask({ opcode: OPCODE.STATFS });
    assert.deepEqual([body.length, field(body, 40, 4), field(body, 44, 4)], [80, 512n, 255n]);
  });

  it('says no to every change, and nothing to FORGET', () => {
    const { SETATTR, MKNOD, MKDIR, UNLINK, RENAME, WRITE, SETXATTR, CREATE, TMPFILE } = OPCODE;
    for (const opcode of [SETATTR, MKNOD, MKDIR, UNLINK, RENAME, WRITE, SETXATTR, CREATE, TMPFILE]) {
      assert.equal(ask({ opcode }, 'x').error, -EROFS);
    }
    for (const opcode of [OPCODE.OPENDIR, OPCODE.ACCESS, OPCODE.FLUSH, OPCODE.LSEEK, 49, 4711]) {
      assert.equal(ask({ opcode }, new Uint8Array(64)).error, -ENOSYS);
    }
    const before = replies.length;
    void session.handle(request({ opcode: OPCODE.FORGET }, [8, 1]));
    void session.handle(request({ opcode: OPCODE.BATCH_FORGET }, [4, 1], [4, 0], [8, 1], [8, 1]));
    assert.equal(replies.length, before);
  });

  it('hands on the errors of the tree, and takes others for EIO', () => {
    assert.equal(ask({ opcode: OPCODE.GETATTR, inode: 99 }, [4, 0], [4, 0], [8, 0]).error, -ESTALE);
    assert.equal(ask({ opcode: OPCODE.GETATTR, inode: 2n ** 60n }, [4, 0], [4, 0], [8, 0]).error, -ESTALE);
    assert.equal(ask({ opcode: OPCODE.LOOKUP, inode: INODE.file }, 'x').error, -ENOTDIR);
    vfs.failure = new TypeError('a fault');
    assert.equal(ask({ opcode: OPCODE.GETATTR }, [4, 0], [4, 0], [8, 0]).error, -EIO);
  });

  it('answers other requests while reads are under way, in the order in which they are done', async () => {
    vfs.hold();
    const handle = openFile();
    read(handle, 0, 2, 11);
    read(handle, 2, 2, 13);
    assert.equal(session.underWay, 2);
    ask({ opcode: OPCODE.STATFS, unique: 15 });
    await vfs.finish(1);
    await vfs.finish(0);
    assert.deepEqual(
      replies.slice(-3).map(({ unique }) => unique),
      [15, 13, 11],
    );
    assert.equal(session.underWay, 0);
  });

  it('gives up a read that is interrupted', async () => {
    vfs.hold();
    read(openFile(), 0, 2, 21);
    void session.handle(request({ opcode: OPCODE.INTERRUPT, unique: 22 }, [8, 21]));
    await vfs.settled();
    assert.deepEqual([replies.at(-1)!.unique, replies.at(-1)!.error], [21, -EINTR]);
    const before = replies.length;
    void session.handle(request({ opcode: OPCODE.INTERRUPT, unique: 24 }, [8, 21]));
    assert.equal(replies.length, before);
  });

  it('takes no more than 64 at once', async () => {
    vfs.hold();
    const handle = openFile();
    const one = (unique: number) =>
      session.handle(
        request(
          { opcode: OPCODE.READ, unique, inode: INODE.file },
          [8, handle],
          [8, 0],
          [4, 1],
          ...READ_REST,
        ),
      );
    for (let count = 1; count < 64; count++) assert.equal(one(count * 2 + 100), undefined);
    const full = one(2);
    assert.ok(full instanceof Promise);
    await vfs.finish(0);
    await full;
    assert.equal(session.underWay, 63);
    session.close();
    await vfs.settled();
    assert.equal(session.underWay, 0);
  });

  it('lets nobody but one user and root in, if it shall', () => {
    start({ onlyUid: 1000 });
    assert.equal(ask({ opcode: OPCODE.STATFS, uid: 1001 }).error, -EACCES);
    assert.equal(ask({ opcode: OPCODE.STATFS, uid: 1000 }).error, 0);
    assert.equal(ask({ opcode: OPCODE.STATFS, uid: 0 }).error, 0);
  });

  it('answers any message with one reply, or with none, or refuses it', () => {
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.uint8Array({ maxLength: 80 }),
        (opcode, inode, body) => {
          const before = replies.length;
          try {
            void session.handle(request({ opcode, inode }, body));
          } catch (error) {
            assert.ok(error instanceof FuseMessageError);
          }
          assert.ok(replies.length <= before + 1);
        },
      ),
      { numRuns: 500 },
    );
  });
});
