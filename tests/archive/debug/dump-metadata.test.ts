import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpArchive, dumpManifest } from '../../../src/archive/debug/dump-metadata.ts';
import { ArchiveDoesNotExist, IntegrityError } from '../../../src/errors.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { ArchiveCrafter } from '../crafted-archive.ts';
import { Scratch } from '../scratch.ts';

interface Dump {
  _name: string;
  _manifest_entry: { id: string };
  _meta: { items: string[]; tam?: unknown };
  _items: Record<string, unknown>[];
}

test('dumpArchive() gives an item a piece, so that nothing grows with their number', async () => {
  using scratch = new Scratch();
  const crafter = await ArchiveCrafter.create(scratch.context());
  for (let i = 0; i < 500; i++) crafter.add({ path: `file-${i}` });
  const { source, archive } = await crafter.finish();
  const pieces = await Array.fromAsync(dumpArchive(source, archive.name));
  assert.equal(pieces.length, 2 + 500 + 1);
  const dump = JSON.parse(pieces.join('')) as Dump;
  assert.equal(dump._name, archive.name);
  assert.equal(dump._manifest_entry.id, `\u007f${archive.idHex}`);
  assert.deepEqual(
    dump._items.map(({ path }) => path),
    Array.from({ length: 500 }, (_, i) => `file-${i}`),
  );
});

test('dumpArchive() shows attributes whose names are not UTF-8', async () => {
  using scratch = new Scratch();
  const crafter = await ArchiveCrafter.create(scratch.context());
  crafter.add({ path: 'file', xattrs: new Map([['user.\xff', Uint8Array.of(0xfe)]]) });
  const { source, archive } = await crafter.finish();
  const dump = JSON.parse((await Array.fromAsync(dumpArchive(source, archive.name))).join('')) as Dump;
  assert.deepEqual(dump._items[0]!['xattrs'], { '\u007f757365722eff': '\u007ffe' });
});

test('dumpArchive() gives the items before the damage, then says it', async () => {
  using scratch = new Scratch();
  const crafter = await ArchiveCrafter.create(scratch.context());
  crafter.add({ path: 'file' }).addBytes(Uint8Array.of(0x82, 0xa1));
  const { source, archive } = await crafter.finish();
  const pieces: string[] = [];
  await assert.rejects(async () => {
    for await (const piece of dumpArchive(source, archive.name)) pieces.push(piece);
  }, IntegrityError);
  assert.match(pieces.join(''), /"_items": \[\n {4}\{\n[^]*"path": "file",[^]* {4}\}$/);
});

test('dumpArchive() knows no archive that the manifest does not have', async () => {
  using scratch = new Scratch();
  const { source } = await (await ArchiveCrafter.create(scratch.context())).finish();
  await assert.rejects(dumpArchive(source, 'nothing').next(), ArchiveDoesNotExist);
});

test('dumpManifest() shows the tag, and throws where the manifest is damaged', async () => {
  using scratch = new Scratch();
  await scratch.init();
  await using session = await scratch.open();
  assert.match(await dumpManifest(session), /"tam": \{\n {8}"hmac": "\\u007f[0-9a-f]{128}",/);
  const sealed = await session.repository.get(MANIFEST_ID);
  sealed[sealed.length - 1]! ^= 1;
  await session.repository.put(MANIFEST_ID, sealed);
  await assert.rejects(dumpManifest(session), IntegrityError);
});
