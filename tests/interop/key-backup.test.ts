import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Workspace } from '../workspace.ts';

/** What is typed in of a printed key: what stands behind the colons. */
function typed(paper: string): string[] {
  return paper
    .split('\n')
    .filter((line) => /^(?:id| *\d+): /.test(line))
    .map((line) => line.slice(line.indexOf(':') + 2));
}

const keyOf = (repository: string) => readFileSync(`${repository}/config`, 'utf8').split('key = ')[1];

describe('a printed key', () => {
  for (const encryption of ['repokey', 'keyfile-blake2']) {
    it(`of --encryption=${encryption} reads the same by both programs, and is taken by both`, () => {
      using space = new Workspace();
      const repository = space.join('repo');
      space.borg(['init', '--encryption', encryption, repository]);
      const byAlcove = space.alcove(['key', 'export', '--paper', repository]);
      assert.deepEqual(byAlcove, space.borg(['key', 'export', '--paper', repository]));
      const lines = typed(byAlcove.stdout);
      const keyfile = space.alcove(['key', 'export', repository]).stdout;
      for (const program of [space.alcove, space.borg]) {
        for (const path of globSync(space.join('home/.config/borg/keys/*'))) rmSync(path);
        const { stdout } = program(['key', 'import', '--paper', repository], {
          input: `${lines.join('\n')}\n`,
        });
        assert.equal(
          stdout,
          `id: ${lines
            .slice(1)
            .map((_, index) => `${String(index + 1).padStart(2)}: `)
            .join('')}`,
        );
        assert.equal(space.borg(['key', 'export', repository]).stdout, keyfile);
        space.borg(['check', repository]);
      }
    });
  }

  it('that is typed in wrong says the same as Borg, and changes nothing', () => {
    using space = new Workspace();
    const repository = space.join('repo');
    space.borg(['init', '--encryption', 'repokey', repository]);
    const lines = typed(space.borg(['key', 'export', '--paper', repository]).stdout);
    const before = keyOf(repository);
    const inputs = [
      [],
      ['', 'y'],
      [
        '',
        'n',
        '1-1',
        '1/2/3-zz',
        'no',
        lines[0]!,
        '',
        'n',
        'zz-1',
        'abc-1',
        '00-00',
        lines[1]!,
        lines[1]!,
        '',
        'y',
      ],
      [lines[0]!.toUpperCase()],
      [`${lines[0]!} - 1`, lines[0]!.replaceAll(' ', '')],
    ];
    for (const input of inputs) {
      const args = ['key', 'import', '--paper', repository];
      const options = { input: input.map((line) => `${line}\n`).join(''), accept: [0, 2] };
      const byAlcove = space.alcove(args, options);
      const byBorg = space.borg(args, options);
      assert.deepEqual([byAlcove.status, byAlcove.stdout], [byBorg.status, byBorg.stdout], input.join('|'));
      assert.equal(keyOf(repository), before);
    }
  });

  it('of another repository is refused', () => {
    using space = new Workspace();
    const [one, two] = [space.join('one'), space.join('two')];
    for (const repository of [one, two]) space.alcove(['init', '--encryption', 'repokey', repository]);
    const { stdout } = space.alcove(['key', 'export', '--paper', one]);
    const options = { input: typed(stdout).join('\n'), accept: [45], env: { BORG_EXIT_CODES: 'modern' } };
    const args = ['key', 'import', '--paper', two];
    assert.equal(space.alcove(args, options).stderr, space.borg(args, options).stderr);
  });
});

describe('key export', () => {
  it('writes a page that has the keyfile and the lines to type in', () => {
    using space = new Workspace();
    const repository = space.join('repo');
    const page = space.join('page.html');
    space.borg(['init', '--encryption', 'repokey-blake2', repository]);
    space.alcove(['key', 'export', '--qr-html', repository, page]);
    const html = readFileSync(page, 'utf8');
    const paper = space.borg(['key', 'export', '--paper', repository]).stdout;
    assert.ok(html.includes(`<pre>${paper}</pre>`));
    assert.match(html, /<svg [^]*<\/svg>/);
    assert.doesNotMatch(html, /<script|https?:\/\/(?!www\.w3\.org)/);
  });

  it('says the same as Borg where there is no key, or no file to write to', () => {
    using space = new Workspace();
    const [plain, encrypted] = [space.join('plain'), space.join('encrypted')];
    space.borg(['init', '--encryption', 'none', plain]);
    space.borg(['init', '--encryption', 'repokey', encrypted]);
    for (const args of [
      ['export', plain],
      ['export', '--paper', plain],
      ['import', '--paper', plain],
      ['import', '--paper', encrypted, 'file'],
      ['export', '--qr-html', encrypted, space.path],
    ]) {
      const options = { accept: [4, 46], env: { BORG_EXIT_CODES: 'modern' } };
      assert.deepEqual(space.alcove(['key', ...args], options), space.borg(['key', ...args], options));
    }
  });

  it('gives related secrets as Borg does, for a repository that Borg makes of them', () => {
    using space = new Workspace();
    const [one, two] = [space.join('one'), space.join('two')];
    space.alcove(['init', '--encryption', 'keyfile', one]);
    const secrets = space.alcove(['key', 'export-related-secrets', one]).stdout;
    space.borg(['key', 'export-related-secrets', one, 'by-borg']);
    assert.equal(secrets, readFileSync(space.join('by-borg'), 'utf8'));
    writeFileSync(space.join('by-alcove'), secrets);
    space.borg(['init', '--encryption', 'repokey', '--import-related-secrets', 'by-alcove', two]);
    assert.equal(
      space.alcove(['key', 'export-related-secrets', two]).stdout.replace('repokey', 'key file'),
      secrets,
    );
  });
});

describe('key migrate-to-repokey', () => {
  it('says of a repository that has a key that there is nothing to do', () => {
    using space = new Workspace();
    const repository = space.join('repo');
    space.alcove(['init', '--encryption', 'repokey', repository]);
    const before = keyOf(repository);
    const { stderr } = space.alcove(['key', 'migrate-to-repokey', repository], { accept: [2] });
    assert.match(stderr, /is not in passphrase mode: there is nothing to migrate\.\n/);
    assert.equal(keyOf(repository), before);
  });
});
