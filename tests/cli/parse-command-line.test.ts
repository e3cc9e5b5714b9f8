import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCommandLine } from '../../src/cli/parse-command-line.ts';
import { CommandError, GeneralError } from '../../src/errors.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { fakeIo, type FakeOptions } from './fake-io.ts';

async function argsOf(argv: string[], options: FakeOptions = {}): Promise<Record<string, unknown>> {
  const line = await parseCommandLine(argv, fakeIo(argv, options));
  assert.ok(line.kind === 'command');
  return line.args as unknown as Record<string, unknown>;
}

const words = (text: string): string[] => text.split(' ');

describe('parseCommandLine()', () => {
  it('takes common options before and behind the command; the later one wins', async () => {
    const args = await argsOf(words('--debug --lock-wait 5 list --info --lock-wait=7 -p repo'));
    assert.equal(args['logLevel'], 'info');
    assert.equal(args['lockWait'], 7);
    assert.equal(args['progress'], true);
  });

  it('takes common options between the parts of a name', async () => {
    const args = await argsOf(words('key --debug export repo'));
    assert.equal(args['logLevel'], 'debug');
  });

  it('gathers repeated options from all places', async () => {
    const args = await argsOf(words('--debug-topic a list --debug-topic b repo'));
    assert.deepEqual(args['debugTopics'], ['a', 'b']);
  });

  it('gives each option its default', async () => {
    const { logLevel, lockWait, lock, umask, first, sortBy } = await argsOf(['list', 'repo']);
    assert.deepEqual(
      { logLevel, lockWait, lock, umask, first, sortBy },
      { logLevel: 'warning', lockWait: 1, lock: true, umask: 0o077, first: 0, sortBy: ['ts'] },
    );
  });

  const locations: [
    title: string,
    argv: string,
    env: Record<string, string>,
    path: string,
    archive?: string,
  ][] = [
    ['a path', 'list repo', {}, 'repo'],
    ['a path and an archive', 'list /a/b::c', {}, '/a/b', 'c'],
    ['nothing, and BORG_REPO', 'list', { BORG_REPO: '/r' }, '/r'],
    ['an archive, and BORG_REPO', 'list ::a', { BORG_REPO: '/r' }, '/r', 'a'],
    ['placeholders', 'list /{hostname}/{user}::{now:%Y}', {}, '/machine/anna', '2026'],
    ['placeholders in BORG_REPO', 'list', { BORG_REPO: '/{fqdn}' }, '/machine.example'],
  ];
  for (const [title, argv, env, path, archive] of locations) {
    it(`takes ${title} for a location`, async () => {
      const { location } = await argsOf(words(argv), { env });
      const { path: foundPath, archive: foundArchive } = location as { path: string; archive?: string };
      assert.deepEqual([foundPath, foundArchive], [path, archive]);
    });
  }

  it('keeps patterns of all options and files in their order', async () => {
    const files = { excludes: '# note\n\n*.o\n', patterns: 'P sh\nR /data\n+ keep\n' };
    const argv = ['list', 'repo', '-e', 'one', '--exclude-from', 'excludes', '--pattern', '- two'];
    const args = await argsOf([...argv, '--patterns-from=patterns', '--exclude=three'], { files });
    const patterns = args['patterns'] as { rules: { pattern: { original: string } }[]; roots: string[] }[];
    const found = patterns.flatMap(({ rules }) => rules.map(({ pattern }) => pattern.original));
    assert.deepEqual(found, ['one', '*.o', 'two', 'keep', 'three']);
    assert.deepEqual(
      patterns.flatMap(({ roots }) => roots),
      ['/data'],
    );
  });

  const badPatterns: [option: string, message: RegExp][] = [
    ['--pattern=Zfoo', /A pattern\/command must start with any of: -, !, \+, R/],
    ['--pattern=+', /A pattern\/command must have a value part\./],
    ['--pattern=P zz', /Invalid pattern style: zz/],
    ['--patterns-from=bad', /A pattern\/command must start with any of/],
  ];
  for (const [option, message] of badPatterns) {
    it(`refuses ${option} with the exit code of a wrong command`, async () => {
      const argv = ['list', option, 'r'];
      const io = fakeIo(argv, { files: { bad: 'nonsense\n' } });
      await assert.rejects(parseCommandLine(argv, io), (error) => {
        assert.ok(error instanceof CommandError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('takes a value that looks like an option where Borg does: --pattern -x', async () => {
    const args = await argsOf(['list', '--pattern', '-x', '--pattern', '--y', 'repo']);
    const patterns = args['patterns'] as { rules: { pattern: { original: string }; command: string }[] }[];
    const found = patterns.flatMap(({ rules }) => rules.map(({ pattern }) => pattern.original));
    assert.deepEqual(found, ['x', '-y']);
    await assert.rejects(argsOf(['list', '--pattern', '--', 'repo']), /expected 1 argument/);
    await assert.rejects(argsOf(['list', '--exclude', '-x', 'repo']), /expected one argument/);
  });

  it('takes options of with-lock up to its command', async () => {
    const args = await argsOf(words('with-lock repo --lock-wait 5 rsync --lock-wait 6 -x'));
    assert.equal(args['lockWait'], 5);
    assert.deepEqual([args['command'], args['args']], ['rsync', ['--lock-wait', '6', '-x']]);
  });

  const others: [argv: string, kind: string, name?: string][] = [
    ['', 'help', ''],
    ['--help', 'help', ''],
    ['-V', 'version'],
    ['--version list', 'version'],
    ['list -h', 'help', 'list'],
    ['list --nonsense --help', 'help', 'list'],
    ['key', 'help', 'key'],
    ['key --help', 'help', 'key'],
    ['key export --help', 'help', 'key export'],
  ];
  for (const [argv, kind, name] of others) {
    it(`understands "alcove ${argv}" as ${kind}`, async () => {
      const tokens = argv === '' ? [] : words(argv);
      const line = await parseCommandLine(tokens, fakeIo(tokens));
      assert.deepEqual([line.kind, 'name' in line ? line.name : undefined], [kind, name]);
    });
  }

  it('refuses --bypass-lock for what writes', async () => {
    const argv = words('compact --bypass-lock repo');
    await assert.rejects(
      parseCommandLine(argv, fakeIo(argv)),
      new GeneralError(['Not allowed to bypass locking mechanism for chosen command']),
    );
  });

  for (const typed of ['bakcup', 'backupp', 'backu', 'bockup']) {
    it(`guesses what ${typed} was to be`, async () => {
      await assert.rejects(parseCommandLine([typed], fakeIo([typed])), { hint: 'Did you mean "backup"?' });
    });
  }

  const refused: [argv: string, command: string, message: RegExp][] = [
    ['foo', '', /^argument <command>: invalid choice: 'foo' \(choose from 'backup', .*'with-lock'\)$/],
    ['key foo', 'key', /^argument <command>: invalid choice: 'foo' \(choose from 'change-passphrase',/],
    ['list', 'list', /^argument REPOSITORY_OR_ARCHIVE: Invalid location format: ""$/],
    ['list --nonsense repo', '', /^unrecognized arguments: --nonsense$/],
    ['--nonsense list repo', '', /^unrecognized arguments: --nonsense$/],
    ['break-lock repo more', '', /^unrecognized arguments: more$/],
    ['break-lock a::b', 'break-lock', /^argument REPOSITORY: "a::b": No archive can be specified$/],
    ['init repo', 'init', /^the following arguments are required: -e\/--encryption$/],
    [
      'init -e rot13 repo',
      'init',
      /^argument -e\/--encryption: invalid choice: 'rot13' \(choose from 'none', /,
    ],
    [
      'init -e none --storage-quota 1M r',
      'init',
      /: quota is too small \(1M\)\. At least 10M are required\.$/,
    ],
    [
      'init -e none --storage-quota x r',
      'init',
      /^argument --storage-quota: invalid parse_storage_quota value: 'x'$/,
    ],
    ['list --lock-wait x r', 'list', /^argument --lock-wait: invalid int value: 'x'$/],
    ['list --umask 9 r', 'list', /^argument --umask: invalid <lambda> value: '9'$/],
    ['list --first 0 r', 'list', /^argument --first: A positive integer is required: 0$/],
    ['list --first x r', 'list', /^argument --first: invalid positive_int_validator value: 'x'$/],
    ['list --first 1 --last 2 r', 'list', /^argument --last: not allowed with argument --first$/],
    ['list -a x -P y r', 'list', /^argument -P\/--prefix: not allowed with argument -a\/--glob-archives$/],
    ['list -a x -a y r', 'list', /^argument -a\/--glob-archives: There can be only one\.$/],
    ['list --sort-by size r', 'list', /^argument --sort-by: Invalid sort key: size$/],
    ['list -e zz:foo r', 'list', /^argument -e\/--exclude: Unknown pattern style: zz$/],
    ['create --timestamp= r::a p', 'create', /^argument --timestamp: invalid timestamp value: ''$/],
  ];
  for (const [argv, command, message] of refused) {
    it(`refuses "alcove ${argv}"`, async () => {
      await assert.rejects(parseCommandLine(words(argv), fakeIo(words(argv))), (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, message);
        assert.equal(error.command, command);
        return true;
      });
    });
  }

  it('shows an example where something is missing', async () => {
    const argv = words('init repo');
    await assert.rejects(parseCommandLine(argv, fakeIo(argv)), {
      hint: 'For example: alcove init --encryption=repokey /path/to/repo',
    });
  });
});
