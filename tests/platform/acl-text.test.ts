import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import {
  type AclNames,
  aclFromMode,
  decodeAcl,
  encodeAcl,
  formatAcl,
  parseAcl,
} from '../../src/platform/acl-text.ts';
import { fromHex, toHex } from '../../src/util/bytes.ts';

const users = new Map([
  [1, 'daemon'],
  [2, 'bin'],
  [65_534, 'nobody'],
  [7, 'o,d:d\\'],
]);
const groups = new Map([[33, 'www-data']]);
const find = (names: Map<number, string>, name: string) =>
  [...names].find(([, known]) => known === name)?.[0];
const names: AclNames = {
  userName: (uid) => users.get(uid),
  groupName: (gid) => groups.get(gid),
  userId: (name) => find(users, name),
  groupId: (name) => find(groups, name),
};
/** A machine on which the same names have other numbers. */
const elsewhere: AclNames = {
  ...names,
  userId: (name) => (name === 'nobody' ? 99 : undefined),
  groupId: () => undefined,
};
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const parse = (acl: string, by = names, numericIds = false) =>
  toHex(encodeAcl(parseAcl(Buffer.from(acl, 'latin1'), by, numericIds)));

// Each made by setfacl, read by getfattr, and stored by Borg 1.4.5, once without and once with --numeric-ids.
const golden: { title: string; hex: string; byName: string; byNumber: string }[] = [
  {
    title: 'named users and groups under a mask that restricts them',
    hex:
      '0200000001000600ffffffff020004003930000002000700feff000004000400ffffffff' +
      '080005002100000010000400ffffffff20000400ffffffff',
    byName:
      'user::rw-\nuser:12345:r--:12345\nuser:nobody:rwx\t:65534\ngroup::r--\n' +
      'group:www-data:r-x\t:33\nmask::r--\nother::r--',
    byNumber:
      'user::rw-\nuser:12345:r--:12345\nuser:65534:rwx\t:65534\ngroup::r--\n' +
      'group:33:r-x\t:33\nmask::r--\nother::r--',
  },
  {
    title: 'one named user',
    hex: '0200000001000600ffffffff020006000100000004000400ffffffff10000600ffffffff20000400ffffffff',
    byName: 'user::rw-\nuser:daemon:rw-:1\ngroup::r--\nmask::rw-\nother::r--',
    byNumber: 'user::rw-\nuser:1:rw-:1\ngroup::r--\nmask::rw-\nother::r--',
  },
  {
    title: 'an owning group that the mask restricts',
    hex: '0200000001000700ffffffff020005000200000004000500ffffffff10000100ffffffff20000500ffffffff',
    byName: 'user::rwx\nuser:bin:r-x\t:2\ngroup::r-x\t\nmask::--x\nother::r-x',
    byNumber: 'user::rwx\nuser:2:r-x\t:2\ngroup::r-x\t\nmask::--x\nother::r-x',
  },
  { title: 'no entries', hex: '02000000', byName: '', byNumber: '' },
];

describe('acl-text.ts', () => {
  for (const { title, hex, byName, byNumber } of golden) {
    it(`formatAcl() and parseAcl() know ${title}`, () => {
      const entries = decodeAcl(fromHex(hex));
      assert.equal(text(formatAcl(entries, names, false)), byName);
      assert.equal(text(formatAcl(entries, names, true)), byNumber);
      assert.equal(parse(byName), hex);
      assert.equal(parse(byNumber), hex);
      assert.equal(parse(byName, elsewhere, true), hex);
      assert.equal(toHex(encodeAcl(entries)), hex);
    });
  }

  it('aclFromMode() stands for permission bits', () => {
    assert.equal(text(formatAcl(aclFromMode(0o40751), names, false)), 'user::rwx\ngroup::r-x\nother::--x');
  });

  it('formatAcl() puts chars of a name that have a meaning in octal', () => {
    const entries = [{ tag: 2, perm: 4, id: 7 }];
    assert.equal(text(formatAcl(entries, names, false)), 'user:o\\054d\\072d\\134:r--:7');
    assert.deepEqual(parseAcl(formatAcl(entries, names, false), names, false), entries);
  });

  it('parseAcl() takes the local number of a name that is known here, else the stored one', () => {
    const entries = parseAcl(Buffer.from('user:nobody:r--:65534\ngroup:www-data:r--:33'), elsewhere, false);
    assert.deepEqual(
      entries.map(({ id }) => id),
      [99, 33],
    );
  });

  it('parseAcl() reads what acl_from_text() reads', () => {
    for (const [given, same] of [
      ['u::rwx,g::r,o::-', 'user::rwx\ngroup::r--\nother::---'],
      [
        'user::rwx \n user:1:rwx\t\t\t\n#c\ngroup::-w-\t# x\nmask:rwx\nother:r',
        'user::rwx\nuser:1:rwx\ngroup::-w-\nmask::rwx\nother::r--',
      ],
      ['user::xwr,group::r--,other::r--,', 'user::rwx\ngroup::r--\nother::r--'],
      [
        'other::r--,user::r--,group:5:r--,mask::r,group:3:rwx,user:9:r,user:2:r',
        'user::r--\nuser:2:r--\nuser:9:r--\ngroup:3:rwx\ngroup:5:r--\nmask::r--\nother::r--',
      ],
      ['user:bin:-', 'user:2:---'],
      ['', ''],
    ] as const) {
      assert.equal(parse(given), parse(same), given);
    }
  });

  for (const bad of [
    'user:xx::',
    'user:1:rwx:0:0',
    'user:1:rwxr',
    'user:1:',
    'user:1:r-x-',
    'USER::r',
    'user::RWX',
    'user::r w',
    'user:unknown:rwx',
    'user:unknown:rwx:4294967295',
    'user:unknown:rwx:-1',
    'user:unknown:rwx:99999999999',
    'default:user::rwx',
    'mask:1:rwx',
    'other:x:rwx',
    'user',
    'nonsense',
  ]) {
    it(`parseAcl() rejects ${JSON.stringify(bad)}`, () => {
      assert.throws(() => parse(bad), RangeError);
    });
  }

  for (const [bad, what] of [
    ['', 'nothing'],
    ['010000', 'a short header'],
    ['01000000', 'another version'],
    ['0200000001000700ffffff', 'a cut entry'],
    ['0200000003000700ffffffff', 'an unknown tag'],
  ] as const) {
    it(`decodeAcl() rejects ${what}`, () => {
      assert.throws(() => decodeAcl(fromHex(bad)), RangeError);
    });
  }

  it('parseAcl() gives back what formatAcl() got, for any ACL', () => {
    const perm = fc.integer({ min: 0, max: 7 });
    const id = fc.integer({ min: 0, max: 0xfffffffe });
    const named = fc.record({ tag: fc.constantFrom(2, 8), perm, id });
    const plain = fc.record({ tag: fc.constantFrom(1, 4, 16, 32), perm, id: fc.constant(0xffffffff) });
    fc.assert(
      fc.property(fc.array(fc.oneof(named, plain)), fc.boolean(), (entries, numericIds) => {
        const known = decodeAcl(encodeAcl(entries));
        assert.deepEqual(parseAcl(formatAcl(known, names, numericIds), names, numericIds), known);
      }),
    );
  });
});
