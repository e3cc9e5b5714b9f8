import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandNames, loadCommand } from '../../src/cli/command-table.ts';
import { manualPages } from '../../src/cli/help/man-page.ts';
import { escapeRoff, literalLines, textLines } from '../../src/cli/help/roff.ts';
import { topics } from '../../src/cli/help/topic-list.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'alcove-man-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const pages = await manualPages('2026-11-22');
for (const { fileName, text } of pages) writeFileSync(join(scratch, fileName), text);

function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error !== undefined && `${program} not installed`;
}

function render(fileName: string): string {
  const { stdout } = spawnSync('groff', ['-man', '-Tascii', '-P-cbou', join(scratch, fileName)], {
    encoding: 'utf8',
  });
  return stdout;
}

describe('escapeRoff()', () => {
  it('leaves nothing that roff would take for its own', () => {
    assert.equal(escapeRoff(`--a '\\n' "\`^~é`), String.raw`\-\-a \(aq\en\(aq \(dq\(ga\(ha\(ti\[u00E9]`);
  });
});

describe('textLines()', () => {
  it('begins no line with a command, and ends none in the middle of a sentence', () => {
    assert.deepEqual(textLines('.so x. Then, e.g. "y".'), ['\\&.so x.', 'Then, e.g. \\(dqy\\(dq.']);
    assert.ok(textLines('word '.repeat(99)).every((line) => line.length <= 80));
    assert.equal(literalLines(["'x"]).includes('\\(aqx'), true);
  });
});

describe('manualPages()', () => {
  it('makes a page for the program, each command, and each topic', () => {
    const names = pages.map(({ fileName }) => fileName);
    assert.equal(new Set(names).size, names.length);
    const expected = ['', ...commandNames(), ...topics.map(({ name }) => name)].map((name) => {
      return `${['alcove', ...name.split(' ').filter(Boolean)].join('-')}.1`;
    });
    for (const name of expected) assert.ok(names.includes(name), name);
  });

  it('has each option of each command', { skip: missing('groff') }, async () => {
    for (const name of commandNames()) {
      const text = render(`alcove-${name.replaceAll(' ', '-')}.1`);
      const spec = (await loadCommand(name))!;
      assert.ok(text.includes(`alcove ${name}`), name);
      for (const { flags, hidden } of spec.options.flatMap(({ options }) => options)) {
        if (!hidden) assert.ok(text.includes(flags.join(', ')), `${name} ${flags.join(', ')}`);
      }
    }
  });

  it('keeps literal text as it is', { skip: missing('groff') }, () => {
    const text = render('alcove-patterns.1');
    assert.match(text, /^ {9}alcove extract REPO::ARCHIVE home\/anna 're:\\\.txt\$'$/m);
    assert.match(text, /'sh:\*\*\/node_modules'/);
  });

  it('is sound to groff', { skip: missing('groff') }, () => {
    const files = pages.map(({ fileName }) => join(scratch, fileName));
    for (const file of files) {
      const { stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z', file], { encoding: 'utf8' });
      assert.equal(stderr, '', file);
    }
  });

  it('is sound to mandoc', { skip: missing('mandoc') }, () => {
    const files = pages.map(({ fileName }) => join(scratch, fileName));
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', ...files], {
      encoding: 'utf8',
    });
    assert.equal(stdout + stderr, '');
  });

  it(
    'is built, and named in package.json; "npm run build" brings both in step',
    { skip: existsSync(join(root, 'dist/command/main.cjs')) ? false : 'dist/ is not built' },
    () => {
      const built = readdirSync(join(root, 'dist/man/man1')).toSorted();
      const { man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { man: string[] };
      assert.deepEqual(built, pages.map(({ fileName }) => fileName).toSorted());
      assert.deepEqual(
        man,
        built.map((name) => `dist/man/man1/${name}`),
      );
    },
  );
});
