/** Variables that change what both programs write or print; those of folders, keys and questions have tests of their own. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { comparable } from './comparable.ts';
import { Twins, type Side } from './twins.ts';

type Env = Record<string, string>;

/** How the beginning of a document is laid out. */
function form(text: string): string[] {
  return text
    .replaceAll(/"[^"]*"/g, '""')
    .split('\n')
    .slice(0, 8);
}

describe('variables', () => {
  const twins = new Twins();
  const folders = [twins.folder('alcove'), twins.folder('borg')];
  before(async () => {
    mkdirSync(join(twins.shared, 'tree'));
    for (const name of ['a', 'b']) writeFileSync(join(twins.shared, 'tree', name), name);
    await twins.run({ args: 'init -e none REPO' });
  });
  after(() => twins[Symbol.dispose]());

  async function alike(args: string, env: Env): Promise<string> {
    const { alcove, borg } = await twins.run({ args, env });
    const [ours, theirs] = [alcove, borg].map((each) => comparable(each, { folders, ownArchives: true }));
    assert.deepEqual(ours, theirs);
    return alcove.stdout;
  }

  /** Names below the cache of a side's repository, those of hashes without them. */
  function cacheNames(side: Side): string[] {
    const cache = join(twins.folder(side), 'home/.cache/borg');
    const id = readdirSync(cache).find((name) => /^[0-9a-f]{64}$/.test(name))!;
    const names = readdirSync(join(cache, id), { recursive: true, encoding: 'utf8' });
    return names.map((name) => name.replace(/[0-9a-f]{64}/, '<id>')).toSorted();
  }

  it('BORG_HOSTNAME and BORG_USERNAME name who made an archive', async () => {
    const env = { BORG_HOSTNAME: 'elsewhere', BORG_USERNAME: 'somebody' };
    await alike('create REPO::{hostname}-{user} tree', env);
    const text = await alike('list --format {archive}|{hostname}|{username}{NL} REPO', {});
    assert.equal(text, 'elsewhere-somebody|elsewhere|somebody\n');
  });

  it('BORG_FILES_CACHE_SUFFIX gives the files cache another name', async () => {
    await alike('create --list REPO::suffix tree', { BORG_FILES_CACHE_SUFFIX: 'mine' });
    assert.ok(cacheNames('alcove').includes('files.mine'));
    assert.deepEqual(cacheNames('alcove'), cacheNames('borg'));
  });

  it('BORG_FILES_CACHE_TTL says how long a file is remembered that is not met', async () => {
    const away = join(twins.shared, 'away');
    for (const ttl of ['1', '3']) {
      const env = { BORG_FILES_CACHE_TTL: ttl };
      await alike(`create REPO::before-${ttl} tree`, env);
      renameSync(join(twins.shared, 'tree/a'), away);
      for (const turn of ['1', '2']) await alike(`create REPO::without-${ttl}-${turn} tree`, env);
      renameSync(away, join(twins.shared, 'tree/a'));
      await alike(`create --list --files-cache mtime,size REPO::again-${ttl} tree`, env);
    }
  });

  it('BORG_USE_CHUNKS_ARCHIVE=no keeps no index of each archive', async () => {
    for (const value of ['no', 'yes']) {
      const env = { BORG_USE_CHUNKS_ARCHIVE: value };
      await alike('delete --cache-only REPO', {});
      await alike(`create REPO::index-${value} tree`, env);
      assert.deepEqual(cacheNames('alcove'), cacheNames('borg'));
      const indexes = cacheNames('alcove').filter((name) => name.startsWith('chunks.archive.d/'));
      assert.equal(indexes.length > 0, value === 'yes');
    }
  });

  for (const indent of ['1', '0', '-1', 'none', '--', '']) {
    it(`BORG_JSON_INDENT=${indent} indents documents`, async () => {
      const env = { BORG_JSON_INDENT: indent };
      const { alcove, borg } = await twins.run({ args: 'list --json REPO', env });
      assert.deepEqual([alcove.status, form(alcove.stdout)], [borg.status, form(borg.stdout)]);
    });
  }

  for (const zone of ['Asia/Kolkata', 'America/New_York', 'UTC']) {
    it(`TZ=${zone} is the zone of times`, async () => {
      const name = zone.replace('/', '-');
      await alike(`create --timestamp 2021-06-05T12:00:00 REPO::${name} tree`, {});
      const args = `list -a ${name} --format {start}{NL} REPO`;
      const { alcove, borg } = await twins.run({ args, env: { TZ: zone } });
      assert.match(alcove.stdout, /^Sat, 2021-06-05 \d\d:\d\d:00\n$/);
      assert.equal(alcove.stdout, borg.stdout);
    });
  }
});
