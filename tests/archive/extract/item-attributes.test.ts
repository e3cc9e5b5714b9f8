import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { extractArchive } from '../../../src/archive/extract/extract.ts';
import { ownerOf } from '../../../src/archive/extract/item-attributes.ts';
import { PatternMatcher } from '../../../src/archive/patterns/pattern-matcher.ts';
import { getAcls } from '../../../src/platform/acl.ts';
import { readXattrs, setXattr } from '../../../src/platform/xattr.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { ArchiveCrafter, testContext } from '../crafted-archive.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alcove-attributes-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ACL = 'user::rw-\nuser:0:r--\ngroup::r--\nmask::r--\nother::---\n';

function supportsXattrs(): boolean {
  const probe = join(folder, 'probe');
  writeFileSync(probe, '');
  try {
    setXattr(probe, 'user.probe', fromUtf8('x'));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe);
  }
}

async function extract(
  item: Parameters<ArchiveCrafter['add']>[0],
  options: { noXattrs?: boolean; noAcls?: boolean } = {},
): Promise<string[]> {
  const ctx = testContext(folder);
  const crafter = await ArchiveCrafter.create(ctx);
  const { archive } = await crafter.add(item).finish();
  await extractArchive(ctx, archive, { matcher: new PatternMatcher(), ...options });
  return ctx.reporter.warnings.map(({ message }) => message);
}

for (const [what, mode] of [
  ['a file', 0o100640],
  ['a folder', 0o040750],
] as const) {
  test(`restoreAttributes() gives ${what} its extended attributes and ACL`, async (t) => {
    if (!supportsXattrs()) return t.skip('the file system has no extended attributes');
    const xattrs = new Map([
      ['user.full', Uint8Array.of(0, 255)],
      ['user.empty', null],
    ]);
    const item = { path: 'x', mode, chunks: [], xattrs, aclAccess: fromUtf8(ACL) };
    assert.deepEqual(await extract(item), []);
    const path = join(folder, 'x');
    const found = readXattrs(path).xattrs;
    assert.deepEqual([...found.get('user.full')!], [0, 255]);
    assert.equal(found.get('user.empty'), null);
    assert.match(toUtf8Lossy(getAcls(path, mode, { numericIds: true }).aclAccess!), /user:0:r--/);
    rmSync(path, { recursive: true });
    await extract(item, { noXattrs: true, noAcls: true });
    assert.equal(readXattrs(path).xattrs.has('user.full'), false);
    assert.deepEqual(getAcls(path, mode), {});
  });
}

test('restoreAttributes() warns of an extended attribute that cannot be set, and sets the rest', async () => {
  const xattrs = new Map([['nonsense', fromUtf8('x')]]);
  const warnings = await extract({ path: 'x', chunks: [], xattrs, mtimeNs: 5_000_000_000n });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^when setting extended attribute nonsense: /);
  assert.equal(lstatSync(join(folder, 'x'), { bigint: true }).mtimeNs, 5_000_000_000n);
});

test('extractArchive() warns of an ACL that is none', async () => {
  const warnings = await extract({ path: 'x', chunks: [], aclAccess: fromUtf8('nonsense') });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^x: attrs: \[Errno 22\]/);
});

test('ownerOf() goes by names before numbers, unless told otherwise', () => {
  const item = {
    path: fromUtf8('x'),
    uid: 7,
    gid: 8,
    user: fromUtf8('root'),
    group: fromUtf8('no such group'),
  };
  assert.deepEqual(ownerOf(item, false), { uid: 0, gid: 8 });
  assert.deepEqual(ownerOf(item, true), { uid: 7, gid: 8 });
  assert.deepEqual(ownerOf({ path: item.path, uid: -1, gid: -1, user: null }, false), { uid: 0, gid: 0 });
});
