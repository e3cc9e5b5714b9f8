import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BLOCK_BYTES, TAR_TYPE } from '../../../src/format/tar-header.ts';
import { TarInput } from '../../../src/archive/tar/tar-input.ts';
import type { TarMember } from '../../../src/archive/tar/tar-member.ts';
import { TarReader } from '../../../src/archive/tar/tar-reader.ts';
import { fromUtf8, toUtf8Lossy } from '../../../src/util/bytes.ts';
import type { Context } from '../../../src/util/context.ts';
import { SilentReporter } from '../../../src/util/reporter.ts';
import { END, longName, member, paxHeader, sparseHeader, tar } from './crafted-tar.ts';

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'alcove-tar-'))));
after(() => rmSync(folder, { recursive: true }));

interface Read {
  readonly members: readonly TarMember[];
  readonly texts: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads a tar from a file, or, with `command`, from that program's output. */
async function read(
  bytes: Uint8Array,
  options: { ignoreZeros?: boolean; command?: string } = {},
): Promise<Read> {
  const path = join(folder, 'some.tar');
  writeFileSync(path, bytes);
  const reporter = new SilentReporter();
  const ctx: Context = {
    env: { PATH: process.env['PATH'] },
    cwd: folder,
    reporter,
    signal: new AbortController().signal,
    nowNs: () => 0n,
    readPassphrase: () => Promise.resolve(undefined),
  };
  await using input = TarInput.open(ctx, { path: fromUtf8(path) }, options.command);
  const reader = new TarReader(input, reporter, { ignoreZeros: options.ignoreZeros ?? false });
  const members: TarMember[] = [];
  const texts: string[] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    members.push(next);
    texts.push(contentsOf(path, next));
  }
  return { members, texts, warnings: reporter.warnings.map(({ message }) => message) };
}

/** As the map, if there is one, says. */
function contentsOf(path: string, { contents }: TarMember): string {
  if (contents === undefined || contents.sizeBytes > 10_000) return '';
  const { offsetBytes, sizeBytes, stretches = [0, sizeBytes] } = contents;
  const whole = Buffer.alloc(sizeBytes);
  const fd = openSync(path, 'r');
  let from = offsetBytes;
  for (let at = 0; at < stretches.length; at += 2) {
    from += readSync(fd, whole, stretches[at]!, stretches[at + 1]!, from);
  }
  closeSync(fd);
  return whole.toString('latin1');
}

const block = (text: string): string => text.padEnd(BLOCK_BYTES, '\0');
const names = ({ members }: Read) => members.map(({ name }) => toUtf8Lossy(name));

describe('TarReader.next()', () => {
  for (const command of [undefined, 'cat']) {
    it(`gives the members and passes over their contents${command ? ', of a pipe' : ''}`, async () => {
      const bytes = tar(
        member('a', { contents: 'x'.repeat(513) }),
        member('b', { contents: 'bee' }),
        member('c'),
        END,
      );
      const found = await read(bytes, { ...(command && { command }) });
      assert.deepEqual(names(found), ['a', 'b', 'c']);
      assert.deepEqual(found.texts, ['x'.repeat(513), 'bee', '']);
      assert.deepEqual(found.warnings, []);
    });
  }

  it('takes an old file with a slash at its end for a directory', async () => {
    const found = await read(tar(member('d/', { type: TAR_TYPE.oldFile }), member('f', { type: '7' }), END));
    assert.deepEqual(
      found.members.map(({ name, type }) => [toUtf8Lossy(name), type]),
      [
        ['d', TAR_TYPE.directory],
        ['f', TAR_TYPE.file],
      ],
    );
  });

  it('passes over contents of types that it does not know, and knows none of links', async () => {
    const link = member('l', { type: TAR_TYPE.symlink, sizeBytes: 5000n });
    assert.deepEqual(
      names(await read(tar(member('v', { type: 'V', contents: 'volume' }), link, member('f'), END))),
      ['v', 'l', 'f'],
    );
  });

  it('takes names from long names and pax headers; what comes first has the last word', async () => {
    const found = await read(
      tar(
        longName('n'.repeat(200)),
        longName('l'.repeat(200), TAR_TYPE.gnuLongLink),
        member('n', { type: TAR_TYPE.link }),
        paxHeader({ path: 'first' }),
        longName('second'),
        member('third'),
        longName('first'),
        paxHeader({ path: 'second' }),
        member('third'),
        END,
      ),
    );
    assert.deepEqual(names(found), ['n'.repeat(200), 'first', 'first']);
    assert.equal(toUtf8Lossy(found.members[0]!.linkName), 'l'.repeat(200));
  });

  it('takes all that items have from pax headers, global ones too', async () => {
    const found = await read(
      tar(
        paxHeader({ uname: 'everyone', mtime: '1.5' }, TAR_TYPE.globalPaxHeader),
        paxHeader({
          uid: '5000000000',
          gid: 'no number',
          mtime: '1234567890.123456789',
          linkpath: 'x',
          size: '3',
        }),
        member('a', { gid: 5n, contents: 'abc', sizeBytes: 0n }),
        member('b', { contents: 'b' }),
        END,
      ),
    );
    const [a, b] = found.members;
    assert.deepEqual(
      [a!.uid, a!.gid, a!.mtimeNs, toUtf8Lossy(a!.user)],
      [5_000_000_000n, 0n, 1234567890123456768n, 'everyone'],
    );
    assert.deepEqual(found.texts, ['abc', 'b']);
    assert.equal(b!.mtimeNs, 1_500_000_000n);
  });

  for (const [text, mtimeNs] of [
    ['  12 ', 12_000_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['.5', 500_000_000n],
    ['1_0', 10_000_000_000n],
    ['-1.5', -1_500_000_000n],
    ['soon', 0n],
    ['', 0n],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as a time, as Python does`, async () => {
      const [found] = (await read(tar(paxHeader({ mtime: text }), member('a'), END))).members;
      assert.equal(found!.mtimeNs, mtimeNs);
    });
  }

  const sparse = '\0\0abc\0\0defg\0';
  const map = { 'GNU.sparse.realsize': '12', 'GNU.sparse.name': 'real' };
  for (const [format, bytes] of [
    [
      'of the old GNU format',
      tar(
        sparseHeader(
          'real',
          [
            [2, 3],
            [7, 4],
            [12, 0],
          ],
          12,
          7,
        ),
        fromUtf8(block('abcdefg')),
      ),
    ],
    [
      '0.0',
      tar(
        paxHeader([
          ['GNU.sparse.size', '12'],
          ['GNU.sparse.offset', '2'],
          ['GNU.sparse.numbytes', '3'],
          ['GNU.sparse.offset', '7'],
          ['GNU.sparse.numbytes', '4'],
        ]),
        member('real', { contents: 'abcdefg' }),
      ),
    ],
    ['0.1', tar(paxHeader({ ...map, 'GNU.sparse.map': '2,3,7,4' }), member('x', { contents: 'abcdefg' }))],
    [
      '1.0',
      tar(
        paxHeader({ ...map, 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }),
        member('x', { contents: `${block('2\n2\n3\n7\n4\n')}abcdefg` }),
      ),
    ],
  ] as const) {
    it(`reads a sparse file ${format}`, async () => {
      const found = await read(tar(bytes, member('next'), END));
      assert.deepEqual(names(found), ['real', 'next']);
      assert.equal(found.texts[0], sparse);
      assert.equal(found.members[0]!.contents?.sizeBytes, 12);
    });
  }

  it('goes on behind an end, and says what it passes over, where it is to ignore zeros', async () => {
    const bytes = tar(
      member('a'),
      END,
      member('b'),
      new Uint8Array(1024).fill(7),
      member('c'),
      END,
      new Uint8Array(100).fill(1),
    );
    const found = await read(bytes, { ignoreZeros: true });
    assert.deepEqual(names(found), ['a', 'b', 'c']);
    assert.deepEqual(found.warnings, [
      'tar: 1024 bytes at byte 2048 are no header and were left out',
      'tar: 100 bytes at byte 4608 are no header and were left out',
    ]);
    assert.deepEqual(names(await read(bytes)), ['a']);
  });

  it('warns of a tar without a mark at its end', async () => {
    const { warnings } = await read(member('a'));
    assert.deepEqual(warnings, [
      'tar: ends at byte 512 without the zeros that mark the end: something may be missing',
    ]);
    assert.deepEqual((await read(tar(member('a'), END))).warnings, []);
    assert.deepEqual((await read(END)).members, []);
  });
});

const isPax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' };
const corrupt = (bytes: Uint8Array, offset: number) => bytes.with(offset, bytes[offset]! ^ 0x55);

describe('TarReader.next() refuses', () => {
  const damaged: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['an empty file', new Uint8Array(0), /^Error: not a tar file: empty file$/],
    ['less than a header', new Uint8Array(511), /^Error: not a tar file: truncated header/],
    ['text', new Uint8Array(2000).fill(0x61), /^Error: not a tar file: .*--tar-filter/],
    [
      'a header that is damaged',
      tar(member('a'), corrupt(member('b'), 3), END),
      /byte 512: invalid header: bad checksum$/,
    ],
    [
      'a header that is cut off',
      tar(member('a'), member('b').subarray(0, 500)),
      /byte 512: truncated header$/,
    ],
    [
      'contents that are cut off',
      member('a', { contents: 'x'.repeat(600) }).subarray(0, 1000),
      /unexpected end of data$/,
    ],
    ['padding that is cut off', member('a', { contents: 'x' }).subarray(0, 600), /unexpected end of data$/],
    [
      'contents beyond all sizes',
      tar(member('a', { sizeBytes: 2n ** 70n }), END),
      /byte 0: invalid header: a size of/,
    ],
    [
      'contents larger than the file',
      tar(member('a', { sizeBytes: 2n ** 50n }), END),
      /unexpected end of data$/,
    ],
    [
      'a negative size',
      tar(member('a', { sizeBytes: -5n }), END),
      /byte 0: invalid header: a size of -5 bytes$/,
    ],
    ['a long name without a member', tar(longName('n'), END), /extended header without a member/],
    ['a long name at the end', longName('n'), /extended header without a member/],
    [
      'a pax header that is cut off',
      paxHeader({ path: 'x'.repeat(1000) }).subarray(0, 600),
      /unexpected end of data$/,
    ],
    [
      'a huge pax header',
      tar(member('x', { type: 'x', sizeBytes: 2n ** 40n }), END),
      /more than 64 extended headers with 16777216 bytes/,
    ],
    [
      'a negative pax header',
      tar(member('x', { type: 'x', sizeBytes: -1n }), END),
      /more than 64 extended headers/,
    ],
    [
      'headers about headers without end',
      tar(...Array<Uint8Array>(65).fill(longName('n')), member('a'), END),
      /byte 65536: more than 64/,
    ],
    [
      'a pax header of nonsense',
      tar(member('x', { type: 'x', contents: 'nonsense' }), member('a'), END),
      /a pax record of a wrong length/,
    ],
    ['a time that is none', tar(paxHeader({ mtime: 'nan' }), member('a'), END), /a time of nan$/],
    ['a time beyond all times', tar(paxHeader({ mtime: '1e400' }), member('a'), END), /a time of 1e400$/],
    [
      'a map of a sparse file in a wrong order',
      tar(
        sparseHeader(
          's',
          [
            [5, 5],
            [0, 5],
          ],
          10,
          10,
        ),
        new Uint8Array(512),
        END,
      ),
      /the map of a sparse file is wrong at 0$/,
    ],
    [
      'a map that promises more than there is',
      tar(sparseHeader('s', [[0, 500]], 500, 10), new Uint8Array(512), END),
      /has 500 bytes, the tar 10$/,
    ],
    [
      'a map without end',
      tar(paxHeader(isPax), member('s', { contents: `1000\n${'1\n'.repeat(254)}` }), END),
      /the map of a sparse file has no end$/,
    ],
    [
      'a map without numbers',
      tar(paxHeader(isPax), member('s', { contents: 'x'.repeat(512) }), END),
      /the map of a sparse file has no end$/,
    ],
    [
      'a map of wrong numbers',
      tar(paxHeader(isPax), member('s', { contents: 'one\n' }), END),
      /a number in the map/,
    ],
    [
      'a map of too many stretches',
      tar(paxHeader(isPax), member('s', { contents: '9999999999\n' }), END),
      /more than 4194304 stretches$/,
    ],
    [
      'a sparse file of a wrong size',
      tar(paxHeader({ ...isPax, 'GNU.sparse.realsize': '-1' }), member('s'), END),
      /a number in the map/,
    ],
  ];
  for (const [title, bytes, message] of damaged) {
    it(`${title}, from a file and from a pipe`, async () => {
      await assert.rejects(read(bytes), { name: 'Error', message });
      await assert.rejects(read(bytes, { command: 'cat' }), { name: 'Error', message });
    });
  }
});
