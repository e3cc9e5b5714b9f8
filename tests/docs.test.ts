/** What the documents say is so: their examples run, their links lead somewhere, and the list of commands is whole. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandNames } from '../src/cli/command-table.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const documents = [...globSync('*.md', { cwd: root }), ...globSync('docs/**/*.md', { cwd: root })].toSorted();
const textOf = (document: string) => readFileSync(join(root, document), 'utf8');

/** `sh` blocks behind a `<!-- run -->` line. */
function runnableBlocks(document: string): string[] {
  return [...textOf(document).matchAll(/^<!-- run -->\n+```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);
}

/** A home with documents in it and the program on its search path. */
function makeHome(): string {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'alcove-docs-')));
  mkdirSync(join(home, 'bin'));
  symlinkSync(join(root, 'bin/alcove'), join(home, 'bin/alcove'));
  mkdirSync(join(home, 'Documents/letters'), { recursive: true });
  writeFileSync(join(home, 'Documents/notes.txt'), 'remember the milk\n');
  writeFileSync(join(home, 'Documents/letters/one.txt'), 'Dear all,\n'.repeat(1000));
  return home;
}

/** The program sees only what a new user's would: nothing of this process's own settings. */
function newEnvironment(home: string): Record<string, string> {
  const path = `${home}/bin:${process.env['PATH'] ?? ''}`;
  return { HOME: home, PATH: path, BORG_PASSPHRASE: 'an example', TZ: 'UTC', LANG: 'C.UTF-8' };
}

/** Borg does not have them. */
const OWN_COMMANDS: readonly string[] = ['backup', 'completion', 'history', 'rollback', 'webdav'];

const unbuilt = existsSync(join(root, 'dist/command/main.cjs')) ? false : 'dist/ is not built';

describe('the examples', { skip: unbuilt }, () => {
  for (const document of documents.filter((name) => runnableBlocks(name).length > 0)) {
    it(`of ${document} run one after the other`, () => {
      const home = makeHome();
      try {
        const script = `set -eux\n${runnableBlocks(document).join('\n')}`;
        const options = { cwd: home, env: newEnvironment(home), encoding: 'utf8' } as const;
        const { status, stderr } = spawnSync('sh', ['-c', script], options);
        assert.equal(status, 0, stderr);
        assert.equal(readFileSync(restored(home), 'utf8'), 'remember the milk\n');
      } finally {
        rmSync(home, { recursive: true });
      }
    });
  }

  it('are in the README and in the guide', () => {
    for (const document of ['README.md', 'docs/GUIDE.md']) assert.ok(runnableBlocks(document).length > 1);
  });
});

const restored = (home: string) => join(home, 'restored', home, 'Documents/notes.txt');

describe('the documents', () => {
  for (const document of documents) {
    it(`link only to what is there: ${document}`, () => {
      const broken = linksOf(document).filter((link) => !leadsSomewhere(document, link));
      assert.deepEqual(broken, []);
    });
  }

  it('have lines for all commands of Borg in the README', () => {
    const there = namesIn(/^\| there +\| (.*) \|$/m);
    // What only a developer needs is named by its group.
    const names = commandNames().map((name) => (name.startsWith('debug ') ? 'debug' : name));
    assert.deepEqual(there, [...new Set(names)].filter((name) => !OWN_COMMANDS.includes(name)).toSorted());
  });

  it('name only files that are there in the map of the source', () => {
    const names = [
      ...textOf('docs/ARCHITECTURE.md').matchAll(/`((?:src|tests|scripts|bin|docs)\/[^`\s]*)`/g),
    ];
    const gone = names.map((match) => match[1]!).filter((name) => globSync(name, { cwd: root }).length === 0);
    assert.ok(names.length > 50);
    assert.deepEqual(gone, []);
  });
});

function namesIn(row: RegExp): string[] {
  const cell = row.exec(textOf('README.md'))?.[1] ?? '';
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!).toSorted();
}

function linksOf(document: string): string[] {
  const prose = textOf(document).replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((link) => !link.includes(':'));
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : relative(root, join(root, dirname(document), path));
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/** As code hosts make them of headings. */
function anchorsOf(document: string): string[] {
  return [...textOf(document).matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
