import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CacheConfig } from '../../../src/archive/cache/cache-config.ts';
import { decodeIni } from '../../../src/format/ini.ts';
import { GOLDEN_ROOT } from '../../golden-repository.ts';

const golden = readFileSync(join(GOLDEN_ROOT, 'repokey-home/cache/config'), 'utf8');

test('CacheConfig reads the config of the golden cache and writes the same text', () => {
  const config = CacheConfig.decode(golden, 'config');
  assert.deepEqual([...config.integrity.keys()], ['chunks', 'files']);
  config.setInStep(config.manifestIdHex, config.timestamp!, config.keyType!);
  assert.equal(config.encode(config.previousLocation!), golden);
});

test('CacheConfig writes the name of a files cache in lower case, so that it stays the only one', () => {
  let text = golden;
  for (const data of ['{"first": 1}', '{"second": 2}']) {
    const config = CacheConfig.decode(text, 'config');
    config.integrity.set('files.AbC', data);
    config.setInStep(config.manifestIdHex, config.timestamp!, config.keyType!);
    text = config.encode(config.previousLocation!);
    assert.equal(decodeIni(text).get('integrity')!.get('files.abc'), data);
  }
});
