import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  RepositoryConfigError,
  createRepositoryConfig,
  decodeRepositoryConfig,
  encodeRepositoryConfig,
} from '../../src/format/repository-config.ts';
import { IniError, decodeIni, encodeIni } from '../../src/format/ini.ts';
import { fromHex } from '../../src/util/bytes.ts';

const hex = '24dac962ef74284bfccb314591d0ef50918c9a430d1c5a7afadc7c316629cee9';
const text = [
  '[repository]',
  'version = 1',
  'segments_per_dir = 1000',
  'max_segment_size = 524288000',
  'append_only = 0',
  'storage_quota = 0',
  'additional_free_space = 0',
  `id = ${hex}`,
  'key = hqlhbGdvcml0aG2mc2hh',
  '\tiyFo6C2L8XMzWYy+FMRL=',
  '',
  '',
].join('\n');

describe("a repository's config", () => {
  it('createRepositoryConfig() gives the text that Borg writes', () => {
    const config = createRepositoryConfig({ id: fromHex(hex) });
    assert.equal(encodeRepositoryConfig(config), text.replace(/key[^=]*=[^=]*=\n/, ''));
  });

  it('decodeRepositoryConfig() gives the values and keeps the text', () => {
    const config = decodeRepositoryConfig(text);
    assert.equal(config.maxSegmentSizeBytes, 524288000);
    assert.equal(config.segmentsPerDir, 1000);
    assert.deepEqual(config.id, fromHex(hex));
    assert.equal(config.ini.get('repository')?.get('key'), 'hqlhbGdvcml0aG2mc2hh\niyFo6C2L8XMzWYy+FMRL=');
    assert.equal(encodeRepositoryConfig(config), text);
  });

  it('decodeRepositoryConfig() reads sizes with suffixes and the words for true', () => {
    const config = decodeRepositoryConfig(
      text
        .replace('storage_quota = 0', 'storage_quota = 1.5T')
        .replace('additional_free_space = 0', 'additional_free_space = 2G')
        .replace('append_only = 0', 'append_only = Yes'),
    );
    assert.equal(config.storageQuotaBytes, 1.5e12);
    assert.equal(config.additionalFreeSpaceBytes, 2e9);
    assert.equal(config.appendOnly, true);
  });

  it('decodeRepositoryConfig() does without what older versions did not write', () => {
    const config = decodeRepositoryConfig(
      text.replaceAll(/^(append_only|storage_quota|additional).*\n/gm, ''),
    );
    assert.deepEqual(
      [config.appendOnly, config.storageQuotaBytes, config.additionalFreeSpaceBytes],
      [false, 0, 0],
    );
  });

  const damaged: [name: string, text: string, message: RegExp][] = [
    ['an empty file', '', /no repository section found/],
    ['another section', text.replace('[repository]', '[cache]'), /no repository section found/],
    ['no section header', text.replace('[repository]\n', ''), /no section header/],
    ['version 2', text.replace('version = 1', 'version = 2'), /repository version 2 is not supported/],
    ['no version', text.replace('version = 1\n', ''), /no version found/],
    ['a version that is text', text.replace('version = 1', 'version = one'), /version is not a number/],
    [
      'a segment size beyond 32-bit offsets',
      text.replace('524288000', '4273995776'),
      /max_segment_size >= 4273995776/,
    ],
    ['a negative segment size', text.replace('524288000', '-1'), /max_segment_size is negative/],
    ['no segments in a folder', text.replace('dir = 1000', 'dir = 0'), /segments_per_dir is 0/],
    ['a short id', text.replace(hex, hex.slice(2)), /id is not 64 hex digits/],
    ['an id that is not hex', text.replace(hex, 'x'.repeat(64)), /id is not 64 hex digits/],
    ['no id', text.replace(`id = ${hex}\n`, ''), /no id found/],
    [
      'append_only that is a maybe',
      text.replace('append_only = 0', 'append_only = maybe'),
      /append_only is neither/,
    ],
    [
      'a quota that is text',
      text.replace('storage_quota = 0', 'storage_quota = much'),
      /storage_quota is not a size/,
    ],
    ['a key given twice', `${text.trimEnd()}\nversion = 1\n`, /already exists/],
    ['a line without a value', text.replace('version = 1', 'version'), /neither a section nor/],
    ['zeros', '\0'.repeat(700), /no section header/],
  ];
  for (const [name, damagedText, message] of damaged) {
    it(`decodeRepositoryConfig() rejects ${name}`, () => {
      assert.throws(
        () => decodeRepositoryConfig(damagedText),
        (error) => {
          assert.ok(error instanceof RepositoryConfigError, String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

describe('INI text', () => {
  // Read by Python's ConfigParser(interpolation=None) into the same values.
  it('decodeIni() follows Python: case, delimiters, comments, continuation, empty lines in values', () => {
    const ini = decodeIni(
      '# comment\n[One]\nKEY: a = b\n; comment\nother=%(x)s # kept\nlong = 1\n   2\n  # gone\n\n   3\n\n[two]\nempty =\n',
    );
    assert.deepEqual(
      ini,
      new Map([
        [
          'One',
          new Map([
            ['key', 'a = b'],
            ['other', '%(x)s # kept'],
            ['long', '1\n2\n\n3'],
          ]),
        ],
        ['two', new Map([['empty', '']])],
      ]),
    );
  });

  it('encodeIni() and decodeIni() round-trip', () => {
    const ini = new Map([['s', new Map([['key', 'one\ntwo\nthree']])]]);
    assert.deepEqual(decodeIni(encodeIni(ini)), ini);
  });

  it('decodeIni() rejects a section that comes twice', () => {
    assert.throws(() => decodeIni('[a]\n[a]\n'), IniError);
  });
});
