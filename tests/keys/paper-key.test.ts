import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { decodeQR } from 'qr/decode.js';
import { encodeKeyPage } from '../../src/keys/key-page.ts';
import {
  decodePaperIdLine,
  decodePaperLine,
  encodePaperKey,
  isPaperIdOf,
  lineLabel,
  paperChecksum,
  PaperKeyError,
} from '../../src/keys/paper-key.ts';
import { concatBytes, fromHex } from '../../src/util/bytes.ts';

const ID = '405f65212cdcac53aa6e57f424211f641f6cde3218e2b5997c048842795dc47a';

/** What is behind the labels. */
function typed(paper: string): string[] {
  const lines = paper.trimEnd().split('\n').slice(3);
  return lines.map((line) => line.slice(line.indexOf(': ') + 2));
}

describe('encodePaperKey()', () => {
  it('writes what Borg writes', () => {
    const blob = Uint8Array.from({ length: 20 }, (_, index) => index);
    assert.deepEqual(encodePaperKey('e294423506ba4e4eb5', blob).split('\n'), [
      'To restore key use borg key import --paper /path/to/repo',
      '',
      'BORG PAPER KEY v1',
      'id: 2 / e29442 3506ba 4e4eb5 / e7aebf 577f60 - 62',
      ' 1: 000102 030405 060708 090a0b 0c0d0e 0f1011 - 53',
      ' 2: 1213 - 99',
      '',
    ]);
  });

  it('gives lines from which the blob comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), (blob) => {
        const [idLine, ...lines] = typed(encodePaperKey(ID, blob));
        const { lines: count, id, checksum } = decodePaperIdLine(idLine!);
        assert.equal(count, lines.length);
        assert.ok(isPaperIdOf(ID, id));
        const parts = lines.map((line, index) => decodePaperLine(line, index + 1));
        assert.deepEqual(concatBytes(parts), blob);
        assert.equal(checksum, paperChecksum(blob));
      }),
    );
  });
});

const [idLine = '', first = '', second = ''] = typed(encodePaperKey(ID, fromHex('ab'.repeat(36))));

describe('decodePaperLine()', () => {
  const rejected: readonly (readonly [text: string, number: number, why: string])[] = [
    ['', 1, "each line must contain exactly one '-', try again"],
    [`${first} - 00`, 1, "each line must contain exactly one '-', try again"],
    [first, 2, 'line checksum did not match, try line 2 again'],
    [second, 1, 'line checksum did not match, try line 1 again'],
    [first.replace('a', 'b'), 1, 'line checksum did not match, try line 1 again'],
    ['abc-00', 1, "only characters 0-9 and a-f and '-' are valid, try again [Odd-length string]"],
    ['xx-00', 1, "only characters 0-9 and a-f and '-' are valid, try again [Non-hexadecimal digit found]"],
  ];
  for (const [text, number, message] of rejected) {
    it(`rejects ${JSON.stringify(text)} as line ${number}`, () => {
      assert.throws(() => decodePaperLine(text, number), { name: PaperKeyError.name, message });
    });
  }

  it('takes capital letters, and blanks anywhere', () => {
    const text = ` ${first.slice(0, -2).toUpperCase().replaceAll('AB', 'A B')}${first.slice(-2)} `;
    assert.deepEqual(decodePaperLine(text, 1), fromHex('ab'.repeat(18)));
  });

  it('has labels that stand below each other', () => {
    assert.deepEqual([lineLabel(1), lineLabel(99), lineLabel(100)], [' 1: ', '99: ', '100: ']);
  });
});

describe('decodePaperIdLine()', () => {
  const rejected: readonly (readonly [text: string, why: RegExp])[] = [
    ['', /exactly one '-'/],
    ['1/2-00', /exactly two '\/'/],
    ['1/2/3/4-00', /exactly two '\/'/],
    [idLine.replace('40', '41'), /checksum did not match, try same line again/],
  ];
  for (const [text, message] of rejected) {
    it(`rejects ${JSON.stringify(text)}`, () => {
      assert.throws(() => decodePaperIdLine(text), { name: PaperKeyError.name, message });
    });
  }
});

describe('encodeKeyPage()', () => {
  it('shows a code that reads as the keyfile', async () => {
    const keyfile = `BORG_KEY ${ID}\n${`${'aB3+/'.repeat(14)}\n`.repeat(12)}`;
    const html = await encodeKeyPage({ repositoryIdHex: ID, keyfile, paperKey: 'id: <1>\n' });
    assert.ok(html.includes('<pre>id: &lt;1&gt;\n</pre>'));
    assert.equal(decodeQR(draw(html)), keyfile);
  });
});

/** Paints the page's code, a path of squares, as a picture. */
function draw(html: string): { width: number; height: number; data: Uint8Array } {
  const size = Number(/viewBox="0 0 (\d+) /.exec(html)![1]);
  const path = /<path d="([^"]*)"/.exec(html)![1]!;
  const scale = 4;
  const width = size * scale;
  const data = new Uint8Array(width * width * 4).fill(255);
  let x = 0;
  let y = 0;
  for (const [, command, a, b] of path.matchAll(/([Mm])(-?\d+)[ ,]?(-?\d+)/g)) {
    x = command === 'M' ? Number(a) : x + Number(a);
    y = command === 'M' ? Number(b) : y + Number(b);
    for (let dy = 0; dy < scale; dy++) {
      for (let dx = 0; dx < scale; dx++) {
        const at = ((y * scale + dy) * width + x * scale + dx) * 4;
        data.fill(0, at, at + 3);
      }
    }
  }
  return { width, height: width, data };
}
