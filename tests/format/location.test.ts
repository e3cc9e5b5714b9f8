import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { InvalidLocation, Location, isArchiveName } from '../../src/format/location.ts';

interface Case {
  text: string;
  BORG_REPO: string | null;
  error?: string;
}

// What Borg 1.4.5's helpers/parseformat.py Location makes of each text.
const cases = JSON.parse(
  readFileSync(new URL('../vectors/locations.json', import.meta.url), 'utf8'),
) as Case[];

function describeLocation(location: Location): Record<string, unknown> {
  const repository = location.omitArchive();
  assert.equal(repository.archive, undefined);
  assert.equal(repository.canonicalPath(), location.canonicalPath());
  return {
    proto: location.proto,
    user: location.user ?? null,
    host: location.host ?? null,
    port: location.port ?? null,
    path: location.path,
    archive: location.archive ?? null,
    canonicalPath: location.canonicalPath(),
    raw: location.raw,
    processed: location.processed,
    rawWithoutArchive: repository.raw,
    processedWithoutArchive: repository.processed,
    keyFileName: location.keyFileName(),
  };
}

test('Location.parse() understands each text as the reference does', () => {
  assert.ok(cases.length > 100);
  for (const { text, BORG_REPO: repository, error, ...expected } of cases) {
    const name = `${JSON.stringify(text)} with BORG_REPO ${repository}`;
    if (error === undefined) {
      assert.deepEqual(describeLocation(Location.parse(text, repository ?? undefined)), expected, name);
    } else {
      assert.throws(
        () => Location.parse(text, repository ?? undefined),
        (thrown) => thrown instanceof InvalidLocation && thrown.message === error,
        name,
      );
    }
  }
});

test('Location.parse() keeps the text before placeholders were replaced', () => {
  const location = Location.parse(
    { raw: '::{hostname}', processed: '::here' },
    { raw: '/backup/{user}', processed: '/backup/root' },
  );
  assert.equal(location.raw, '/backup/{user}::{hostname}');
  assert.equal(location.processed, '/backup/root::here');
  assert.equal(location.omitArchive().raw, '/backup/{user}');
});

test('Location.absolute() resolves local paths only', () => {
  const cases: [string, string][] = [
    ['rel/../repo::a', '/home/u/repo'],
    ['../repo', '/home/repo'],
    ['/abs/repo', '/abs/repo'],
    ['host:rel', 'ssh://host/./rel'],
  ];
  for (const [text, expected] of cases) {
    assert.equal(Location.parse(text).absolute('/home/u').canonicalPath(), expected);
  }
  assert.equal(Location.parse('rel::a').absolute('/').archive, 'a');
});

test('Location.keyFileName() is at most 100 characters', () => {
  assert.equal(Location.parse(`/${'x'.repeat(200)}`).keyFileName().length, 100);
});

test('isArchiveName() refuses what a location could not name', () => {
  for (const name of ['', 'a/b', 'a::b', '/']) assert.equal(isArchiveName(name), false, name);
  for (const name of ['a', 'a:b', 'ä b', '.']) assert.equal(isArchiveName(name), true, name);
});
