import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandNames, loadCommand } from '../../src/cli/command-table.ts';
import { complete, type Completions } from '../../src/cli/completion/complete.ts';
import { completionScript, encodeCompletions, SHELLS } from '../../src/cli/completion/scripts.ts';
import { main } from '../../src/cli/main.ts';
import { isDeprecated } from '../../src/cli/options/deprecations.ts';
import { fakeIo } from './fake-io.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'alcove-completion-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const names = (repository: string) => Promise.resolve(repository === 'r' ? ['monday', 'tuesday'] : []);
const at = (line: string): Promise<Completions> => complete(line.split(' '), names);
const wordsAt = async (line: string) => (await at(line)).candidates.map(({ word }) => word);

describe('complete()', () => {
  it('offers commands with what they do', async () => {
    const { candidates } = await at('');
    assert.ok(candidates.some(({ word, description }) => word === 'list' && description?.startsWith('list')));
    assert.ok(candidates.some(({ word }) => word === 'key'));
    assert.ok((await wordsAt('key ')).includes('export'));
    assert.ok((await wordsAt('--info --lock-wait 3 key --debug ')).includes('export'));
  });

  it('offers the options of the command and of all commands', async () => {
    const words = await wordsAt('create --');
    for (const word of ['--compression', '--exclude', '--progress']) assert.ok(words.includes(word), word);
    assert.ok(!words.includes('-C'));
    assert.ok((await wordsAt('create -')).includes('-C'));
    assert.ok(!(await wordsAt('list --')).includes('--compression'));
    assert.deepEqual(await wordsAt('create -- --'), []);
  });

  it('offers an option again only where it may be given more than once', async () => {
    const words = await wordsAt('create --stats -C lz4 --exclude x --');
    assert.ok(words.includes('--exclude'));
    assert.ok(!words.includes('--stats') && !words.includes('--compression'));
  });

  it('offers the values of an option in each of its spellings', async () => {
    for (const line of ['create -C ', 'create --compression ', 'create --compression=', 'create --compr ']) {
      assert.ok((await wordsAt(line)).includes('zstd'), line);
    }
    assert.equal((await at('create --compression=z')).prefix, '--compression=');
    assert.ok((await wordsAt('init -e ')).includes('repokey-blake2'));
  });

  it('goes on behind the commas of a list, with what is not in it yet', async () => {
    const { prefix, candidates } = await at('list --sort-by name,ti');
    assert.equal(prefix, 'name,');
    assert.deepEqual(
      candidates.map(({ word }) => word),
      ['timestamp', 'archive', 'id'],
    );
  });

  it('offers files and directories where they are meant', async () => {
    assert.equal((await at('create r::x ')).also, 'files');
    assert.equal((await at('create --exclude-from ')).also, 'files');
    assert.equal((await at('list ')).also, 'directories');
    assert.equal((await at('extract r::monday ')).also, undefined);
    assert.equal((await at('with-lock r ')).also, 'commands');
    assert.equal((await at('with-lock r ls -')).also, 'files');
  });

  it('offers the archives of the repository', async () => {
    assert.deepEqual(await at('list r::mo'), {
      prefix: 'r::',
      candidates: [{ word: 'monday' }, { word: 'tuesday' }],
    });
    assert.deepEqual(await wordsAt('diff r::monday '), ['monday', 'tuesday']);
    assert.deepEqual(await wordsAt('delete r monday '), ['monday', 'tuesday']);
  });

  it('offers topics to help', async () => {
    const words = await wordsAt('help ');
    assert.ok(words.includes('patterns') && words.includes('list'));
  });

  it('has nothing to say about what makes no sense', async () => {
    for (const line of ['rename r::a b ', 'create --nonsense=', 'check x ', '--rsh ']) {
      assert.deepEqual((await at(line)).candidates, [], line);
    }
  });

  it('says something of each option of each command', async () => {
    for (const name of commandNames()) {
      const spec = (await loadCommand(name))!;
      const words = await wordsAt(`${name} -`);
      for (const { flags, hidden } of spec.options.flatMap(({ options }) => options)) {
        const wanted = hidden !== true && !flags.some(isDeprecated);
        assert.equal(words.includes(flags[0]!), wanted, `${name} ${flags[0]}`);
      }
    }
  });
});

describe('completion', () => {
  it('prints a script that starts the program', async () => {
    for (const shell of SHELLS) {
      const io = fakeIo(['completion', shell], { name: 'borg' });
      assert.equal(await main(io), 0);
      assert.equal(io.stdout.text, completionScript(shell, 'borg', 'alcove'));
      assert.doesNotMatch(io.stdout.text, /@NAME@|@PROGRAM@|@\{/);
    }
  });

  it('answers with what the scripts read', () => {
    const candidates = [{ word: 'a', description: 'first' }, { word: 'b' }];
    assert.equal(
      encodeCompletions({ prefix: 'r::', candidates, open: true, also: 'files' }),
      'files open\nr::\na\tfirst\nb\n',
    );
  });

  it('suggests a shell that it knows', async () => {
    const io = fakeIo(['completion', 'bsh']);
    assert.equal(await main(io), 2);
    assert.match(io.stderr.text, /choose from 'bash', 'fish', 'zsh'\)\nDid you mean "bash"\?\n$/);
  });

  describe('of archives', () => {
    const env = { BORG_BASE_DIR: join(scratch, 'base'), HOME: scratch, TZ: 'UTC' };
    const run = async (argv: string[], more: Record<string, string> = {}) => {
      const io = fakeIo(argv, { cwd: scratch, env: { ...env, ...more } });
      await main(io);
      return io;
    };
    const answer = async (word: string, more: Record<string, string> = {}) => {
      const { stdout, stderr, prompts } = await run(['completion', 'bash', '--', 'list', word], more);
      assert.deepEqual([stderr.text, prompts], ['', []]);
      return stdout.text.split('\n').slice(2, -1).toSorted();
    };

    before(async () => {
      const passphrase = { BORG_PASSPHRASE: 'completion' };
      await run(['init', '-e', 'repokey', 'secret'], passphrase);
      await run(['init', '-e', 'none', 'open']);
      for (const archive of ['secret::one', 'open::two', 'open::three']) {
        const io = await run(['create', archive, 'secret/README'], passphrase);
        assert.equal(io.stderr.text, '');
      }
    });

    it('lists them by path, home and BORG_REPO', async () => {
      for (const repository of ['open', join(scratch, 'open'), '~/open', '$HOME/open']) {
        assert.deepEqual(await answer(`${repository}::`), ['three', 'two']);
      }
      assert.deepEqual(await answer('::t', { BORG_REPO: 'open' }), ['three', 'two']);
    });

    it('uses a passphrase of the environment, and never asks or runs a command for one', async () => {
      assert.deepEqual(await answer('secret::', { BORG_PASSPHRASE: 'completion' }), ['one']);
      assert.deepEqual(await answer('secret::', { BORG_PASSPHRASE: 'wrong' }), []);
      assert.deepEqual(await answer('secret::'), []);
      const called = join(scratch, 'called');
      assert.deepEqual(await answer('secret::', { BORG_PASSCOMMAND: `touch ${called}` }), []);
      assert.equal(existsSync(called), false);
    });

    it('says nothing where there is no repository, or one elsewhere', async () => {
      for (const repository of ['nowhere', '', 'user@host:repo', 'ssh://host/repo']) {
        assert.deepEqual(await answer(`${repository}::`), []);
      }
    });
  });
});

function missing(...programs: string[]): string | false {
  if (!existsSync(join(root, 'dist/command/main.cjs'))) return 'dist/ is not built';
  const absent = programs.filter((program) => spawnSync(program, ['--version']).error !== undefined);
  return absent.length > 0 && `${absent.join(' and ')} not installed`;
}

describe('in a shell', () => {
  const program = join(root, 'bin/alcove');
  const folder = join(scratch, 'shells');
  const env = { ...process.env, BORG_BASE_DIR: join(scratch, 'base'), HOME: folder, TERM: 'dumb' };
  /** What is typed before the tab, and the arguments that the shell makes of the line. */
  const lines: readonly (readonly [string, string])[] = [
    ['cre', '<create>'],
    ['key export-', '<key><export-related-secrets>'],
    ['create --compression=zs', '<create><--compression=zstd>'],
    ['list --sort-by name,t', '<list><--sort-by><name,timestamp>'],
    ['list re::mon', '<list><re::monday>'],
    ["list 're::tue", '<list><re::tue:s day>'],
    ['list re::tue', '<list><re::tue:s day>'],
    ['create re::x fi', '<create><re::x><file with spaces>'],
    ['create --exclude-from=fi', '<create><--exclude-from=file with spaces>'],
  ];

  before(() => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'file with spaces'), '');
    if (missing('sh')) return;
    const script = `"$0" init -e none re && "$0" create re::monday . && "$0" create "re::tue:s day" .`;
    const { status, stderr } = spawnSync('sh', ['-c', script, program], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  /** Types the lines at a terminal; `alcove` stands for a function that prints its arguments. */
  function type(command: string, setup: readonly string[]): string[] {
    const show = `alcove() { printf 'ARGS'; printf '<%s>' "$@"; echo; }`;
    const typed = [...setup, show, ...lines.map(([line]) => `alcove ${line}\t`), 'exit', ''].join('\n');
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      input: typed,
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return [...stdout.replaceAll('\r', '').matchAll(/^ARGS(.*)$/gm)].map((match) => match[1]!);
  }

  const wanted = lines.map(([, args]) => args);

  it('completes in bash', { skip: missing('bash', 'script') }, () => {
    const setup = ["PS1=; bind 'set enable-bracketed-paste off'", `eval "$('${program}' completion bash)"`];
    assert.deepEqual(type('bash --norc --noprofile -i', setup), wanted);
  });

  it('completes in zsh', { skip: missing('zsh', 'script') }, () => {
    const setup = [
      'PS1=; unset zle_bracketed_paste; unsetopt PROMPT_SP; autoload -Uz compinit; compinit -u -D',
      `eval "$('${program}' completion zsh)"`,
    ];
    assert.deepEqual(type('zsh -f -i', setup), wanted);
  });

  it('completes in fish', { skip: missing('fish') }, () => {
    const asked = ['cre', 'create --compression=zs', 'list re::', 'create re::x fi', 'help patt'];
    const script = [
      `'${program}' completion fish | source`,
      ...asked.map((line) => `complete -C 'alcove ${line}'`),
    ].join('\n');
    const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'create\tmake an archive of files',
      '--compression=zstd',
      're::monday',
      're::tue:s day',
      'file with spaces',
      'patterns\twhich files a command is about',
    ]);
  });
});
