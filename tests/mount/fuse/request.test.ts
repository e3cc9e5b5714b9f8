import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../../properties.ts';
import {
  decodeGetXattr,
  decodeInit,
  decodeInterrupt,
  decodeListXattr,
  decodeLookup,
  decodeOpen,
  decodeRead,
  decodeRelease,
  decodeRequest,
  FuseMessageError,
} from '../../../src/mount/fuse/request.ts';
import { pack, request, type Field } from './kernel.ts';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const integer = (bits: 32 | 53) => fc.nat({ max: bits === 32 ? 0x7fffffff : Number.MAX_SAFE_INTEGER });

describe('decodeRequest()', () => {
  it('gives what the kernel has sent', () => {
    fc.assert(
      fc.property(integer(32), integer(53), integer(53), integer(32), (opcode, unique, inode, uid) => {
        const message = request({ opcode, unique, inode, uid }, 'name');
        const { body, ...header } = decodeRequest(message);
        assert.deepEqual(header, { opcode, unique, inode, uid, pid: 7 });
        assert.equal(Buffer.from(decodeLookup(body)).toString(), 'name');
      }),
    );
  });

  it('takes a message out of the middle of a buffer', () => {
    const buffer = Buffer.concat([Buffer.alloc(3), request({ opcode: 1, unique: 5, inode: 9 }, 'x')]);
    assert.equal(decodeRequest(buffer.subarray(3)).inode, 9);
  });

  it('does not take an inode beyond 2^53 for another', () => {
    assert.ok(decodeRequest(request({ opcode: 1, inode: 2n ** 53n + 1n }, 'x')).inode >= 2 ** 53);
  });

  const good = request({ opcode: 1 }, 'name');
  const damaged: [what: string, message: Uint8Array][] = [
    ['an empty message', new Uint8Array(0)],
    ['half a header', good.subarray(0, 39)],
    ['a message that is cut off', good.subarray(0, good.length - 1)],
    ['a message with more than it says', Buffer.concat([good, Buffer.alloc(8)])],
    ['a number that is not exact', request({ opcode: 1, unique: 2n ** 60n + 1n }, 'name')],
  ];
  for (const [what, message] of damaged) {
    it(`rejects ${what}`, () => assert.throws(() => decodeRequest(message), FuseMessageError));
  }
});

describe('the bodies of requests', () => {
  const bodies: [name: string, decode: (body: DataView) => unknown, fields: Field[], value: unknown][] = [
    [
      'decodeOpen',
      decodeOpen,
      [
        [4, 0o100000],
        [4, 0],
      ],
      { flags: 0o100000 },
    ],
    [
      'decodeRead',
      decodeRead,
      [
        [8, 3],
        [8, 2n ** 40n],
        [4, 4096],
        [4, 0],
        [8, 0],
        [4, 0],
        [4, 0],
      ],
      { handle: 3, offset: 2 ** 40, sizeBytes: 4096 },
    ],
    [
      'decodeRelease',
      decodeRelease,
      [
        [8, 2n ** 33n],
        [4, 0],
        [4, 0],
        [8, 0],
      ],
      { handle: 2 ** 33 },
    ],
    [
      'decodeListXattr',
      decodeListXattr,
      [
        [4, 100],
        [4, 0],
      ],
      { roomBytes: 100 },
    ],
    ['decodeInterrupt', decodeInterrupt, [[8, 12]], { unique: 12 }],
    [
      'decodeInit',
      decodeInit,
      [[4, 7], [4, 45], [4, 131072], [4, 0xffffffff], [4, 1], new Uint8Array(44)],
      { major: 7, minor: 45, maxReadaheadBytes: 131072, flags: 0xffffffff },
    ],
  ];
  for (const [name, decode, fields, value] of bodies) {
    it(`${name}() gives its fields, and rejects a body that is too short`, () => {
      const bytes = pack(...fields);
      assert.deepEqual(decode(viewOf(bytes)), value);
      assert.throws(() => decode(viewOf(bytes.subarray(0, 7))), FuseMessageError);
      if (bytes.length <= 40) {
        for (let length = 0; length < Math.min(bytes.length, 8); length++) {
          assert.throws(() => decode(viewOf(bytes.subarray(0, length))), FuseMessageError);
        }
      }
    });
  }

  it('decodeInit() knows the short form of old kernels', () => {
    const old = viewOf(pack([4, 7], [4, 5]));
    assert.deepEqual(decodeInit(old), { major: 7, minor: 5, maxReadaheadBytes: 0, flags: 0 });
  });

  it('decodeGetXattr() gives room and name', () => {
    const { roomBytes, name } = decodeGetXattr(viewOf(pack([4, 64], [4, 0], 'user.x')));
    assert.deepEqual([roomBytes, Buffer.from(name).toString()], [64, 'user.x']);
  });

  const names: [what: string, bytes: Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['no zero byte', Buffer.from('name')],
    ['an empty name', Buffer.from('\0')],
    ['a name of more than 1024 bytes', Buffer.concat([Buffer.alloc(1025, 'x'), Buffer.alloc(1)])],
  ];
  for (const [what, bytes] of names) {
    it(`decodeLookup() and decodeGetXattr() reject ${what}`, () => {
      assert.throws(() => decodeLookup(viewOf(bytes)), FuseMessageError);
      const body = Buffer.concat([Buffer.alloc(8), bytes]);
      assert.throws(() => decodeGetXattr(viewOf(body)), FuseMessageError);
      assert.throws(() => decodeGetXattr(viewOf(body.subarray(0, 5))), FuseMessageError);
    });
  }
});
