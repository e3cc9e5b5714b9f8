/** `debug` and `benchmark crud`: both programs on one repository, and all that they print and write compared. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Workspace, type Outcome, type Program } from '../workspace.ts';
import { readMarshal } from './python-marshal.ts';

const space = new Workspace({ BORG_EXIT_CODES: 'modern' });
after(() => space[Symbol.dispose]());
const MANIFEST = '0'.repeat(64);
const MISSING = `${'0'.repeat(63)}9`;
const anything = Array.from({ length: 256 }, (_, code) => code);

before(() => {
  mkdirSync(space.join('tree'));
  for (let i = 0; i < 20; i++)
    writeFileSync(space.join('tree', `file-${i}`), `contents ${i}, a needle\n`.repeat(i));
  writeFileSync(
    Buffer.concat([Buffer.from(space.join('tree/')), Buffer.from([0xff, 0x7f, 0x22])]),
    'odd name',
  );
  writeFileSync(space.join('tree/quotes'), `it's "quoted"\\\t\x7f`);
  writeFileSync(space.join('sealed'), Buffer.from(anything));
});

interface Result extends Outcome {
  /** SHA-256 of each file that was written. */
  readonly files: Readonly<Record<string, string>>;
}

/** Runs in an empty folder. */
function runIn(program: Program, args: readonly string[]): Result {
  const cwd = space.join('out');
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  const { status, stdout, stderr } = program(['debug', ...args], { cwd, accept: anything });
  const names = readdirSync(cwd).toSorted();
  const files = Object.fromEntries(names.map((name) => [name, digestOf(readFileSync(join(cwd, name)))]));
  return { status, stdout, stderr: stderr.replace(/^Traceback[^]*/m, ''), files };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Gives what both ended with. */
function same(args: readonly string[]): Result {
  const ours = runIn(space.alcove, args);
  assert.deepEqual(ours, runIn(space.borg, args));
  return ours;
}

function makeRepository(mode: string): string {
  const repository = space.join(`repo-${mode}`);
  space.borg(['init', '--encryption', mode, repository]);
  space.alcove(['create', `${repository}::gone`, 'tree/file-3', 'tree/file-4']);
  space.borg(['create', '-C', 'zlib', `${repository}::kept`, 'tree']);
  space.alcove(['create', '--comment', 'é', `${repository}::10`, 'tree/file-5']);
  space.borg(['delete', `${repository}::gone`]);
  return repository;
}

describe('debug', () => {
  const repository = space.join('repo-repokey');
  let chunks: string[];

  before(() => {
    makeRepository('repokey');
    // What a program that was killed leaves.
    copyFileSync(join(repository, 'data/0/2'), join(repository, 'data/0/99'));
    const dumped = runIn(space.alcove, ['dump-repo-objs', repository]);
    chunks = Object.keys(dumped.files).map((name) => name.slice(9, 73));
  });

  it('dump-archive gives the same JSON', () => {
    for (const name of ['kept', '10']) {
      const { stdout } = same(['dump-archive', `${repository}::${name}`, '-']);
      assert.equal(JSON.parse(stdout)._name, name);
      assert.equal(Object.keys(same(['dump-archive', `${repository}::${name}`, 'file']).files).length, 1);
    }
  });

  it('dump-archive-items writes the same files', () => {
    const { files } = same(['dump-archive-items', `${repository}::kept`]);
    assert.match(Object.keys(files).join(), /^000000_[0-9a-f]{64}\.items$/);
  });

  it('dump-manifest gives the same JSON', () => {
    const { stdout } = same(['dump-manifest', repository, '-']);
    assert.deepEqual(Object.keys(JSON.parse(stdout).archives).toSorted(), ['10', 'kept']);
    same(['dump-manifest', repository, 'file']);
  });

  it('dump-repo-objs writes the same files', () => {
    assert.ok(Object.keys(same(['dump-repo-objs', repository]).files).length > 20);
  });

  it('dump-repo-objs --ghost writes the same files', () => {
    const names = Object.keys(same(['dump-repo-objs', '--ghost', repository]).files);
    for (const kind of ['_put_', '_del_', '_commit.', '_99_8_put_']) {
      assert.ok(
        names.some((name) => name.includes(kind)),
        kind,
      );
    }
  });

  it('search-repo-objs finds the same', () => {
    const found = same(['search-repo-objs', repository, 'str:needle']).stdout.split('\n');
    assert.ok(found.length > 20);
    same(['search-repo-objs', repository, 'hex:7c22']);
    same(['search-repo-objs', repository, `str:it's "quoted"`]);
    // From the end of one file's contents to the start of another's.
    assert.match(same(['search-repo-objs', repository, 'hex:0a636f']).stdout, / \| /);
  });

  it('id-hash gives the same id', () => {
    const { stdout } = same(['id-hash', repository, '../tree/file-7']);
    assert.ok(chunks.includes(stdout.trim()));
  });

  it('refcount-obj gives the same counts', () => {
    const { stdout } = same(['refcount-obj', repository, ...chunks.slice(0, 8), 'zz', MISSING]);
    assert.match(stdout, / has \d+ referrers /);
    assert.match(stdout, /\nobject id zz is invalid\.\nobject 0+9 not found /);
  });

  it('get-obj writes what lies in the repository', () => {
    for (const id of [MANIFEST, chunks[0]!])
      assert.ok(same(['get-obj', repository, id, 'file']).files['file']);
  });

  it('put-obj of one program is there for the other, and delete-obj removes it', () => {
    const sealed = digestOf(readFileSync(space.join('sealed')));
    const pairs = [
      [space.alcove, space.borg],
      [space.borg, space.alcove],
    ] as const;
    const outcomes = pairs.map(([one, other]) => {
      const id = 'aB'.repeat(32);
      const put = runIn(one, ['put-obj', repository, id, '../sealed']);
      const got = runIn(other, ['get-obj', repository, id, 'file']);
      assert.equal(got.files['file'], sealed);
      const gone = runIn(one, ['delete-obj', repository, 'zz', id, MISSING, 'abc']);
      assert.equal(runIn(other, ['get-obj', repository, id, 'file']).status, 2);
      return [put.status, put.stdout, put.stderr, gone.status, gone.stdout, gone.stderr];
    });
    assert.deepEqual(outcomes[0], outcomes[1]);
    assert.match(
      String(outcomes[0]![4]),
      /^object id zz is invalid\.\nobject (?:aB)+ deleted\.\nobject 0+9 not found\./,
    );
    space.borg(['check', repository]);
  });

  it('dump-hints gives the same JSON, in the same order', () => {
    const { stdout } = same(['dump-hints', repository, '-']);
    assert.ok(Object.keys(JSON.parse(stdout).shadow_index).length > 1);
  });
});

for (const mode of ['keyfile-blake2', 'authenticated', 'none']) {
  it(`debug gives the same of a repository of mode ${mode}`, () => {
    const repository = makeRepository(mode);
    same(['dump-archive', `${repository}::kept`, '-']);
    same(['dump-manifest', repository, '-']);
    assert.ok(Object.keys(same(['dump-repo-objs', '--ghost', repository]).files).length > 30);
    assert.match(same(['id-hash', repository, '../tree/file-7']).stdout, /^[0-9a-f]{64}\n$/);
    assert.match(same(['search-repo-objs', repository, 'str:needle']).stdout, / #\d+: /);
  });
}

function messageOf({ stderr }: Result): string | undefined {
  return /(?:error: |^Error: ).*$/m.exec(stderr)?.[0];
}

describe('debug with wrong arguments', () => {
  const repository = space.join('repo-repokey');
  const wrong: readonly (readonly [args: readonly string[], status: number])[] = [
    [['get-obj', repository, MISSING, 'file'], 2],
    [['get-obj', repository, 'abc', 'file'], 4],
    [['get-obj', repository, 'abzz', 'file'], 4],
    [['get-obj', repository, 'abcd', 'file'], 4],
    [['get-obj', repository, 'é', 'file'], 4],
    [['get-obj', repository, '', 'file'], 4],
    [['put-obj', repository, 'abcd', '../sealed'], 4],
    [['delete-obj', repository, 'zz', 'abcd'], 0],
    [['search-repo-objs', repository, 'needle'], 4],
    [['search-repo-objs', repository, 'hex:'], 4],
    [['search-repo-objs', repository, 'hex:123'], 4],
    [['search-repo-objs', repository, 'str:'], 4],
    [['dump-archive', `${repository}::none`, '-'], 31],
    [['dump-archive-items', `${repository}::none`], 31],
    [['dump-repo-objs', '--ghost', '--segment', '2', '--offset', '9', repository], 0],
    [['dump-repo-objs', '--ghost', '--segment', '2', '--offset', '8', repository], 0],
    // One object was never sealed.
    [['dump-repo-objs', '--ghost', '--offset', '8', repository], 90],
  ];
  for (const [args, status] of wrong) {
    it(`ends alike: ${args.join(' ').replace(repository, 'REPOSITORY')}`, () => {
      const ours = same(args);
      assert.equal(ours.status, status);
    });
  }

  const usage: readonly (readonly string[])[] = [
    ['dump-archive', repository, '-'],
    ['dump-archive-items', repository],
    ['dump-manifest', `${repository}::kept`, '-'],
    ['dump-repo-objs', '--segment', '0', repository],
    ['dump-repo-objs', '--offset', 'x', repository],
    ['delete-obj', repository],
    ['refcount-obj', repository],
    ['get-obj', repository, MISSING],
    ['dump-hints', '--bypass-lock', repository, '-'],
    ['info', 'more'],
  ];
  for (const args of usage) {
    it(`is refused alike: ${args.join(' ').replace(repository, 'REPOSITORY')}`, () => {
      const [ours, theirs] = [runIn(space.alcove, args), runIn(space.borg, args)];
      assert.equal(messageOf(ours), messageOf(theirs));
      assert.equal(ours.status, theirs.status);
    });
  }

  it('leaves a repository alone that does not take what is not there', () => {
    for (const program of [space.alcove, space.borg]) {
      assert.equal(runIn(program, ['put-obj', repository, MISSING, 'none']).status, 2);
      assert.equal(runIn(program, ['get-obj', repository, MANIFEST, 'no/such/file']).status, 2);
      assert.equal(runIn(program, ['id-hash', repository, 'none']).status, 2);
    }
  });
});

/** What the lines are about. */
function shapeOf(text: string): string {
  return text
    .replaceAll(/\d+/g, '0')
    .replace(/^Linux: .*$/m, 'Linux')
    .replace(/^Borg: (\S+).*$/m, 'Borg: $1')
    .replace(/^(CRC implementation): .*$/m, '$1')
    .replaceAll("'alcove'", "'borg'");
}

function sameShape(run: (program: Program) => string): void {
  assert.equal(shapeOf(run(space.alcove)), shapeOf(run(space.borg)));
}

describe('debug info', () => {
  it('has the same lines', () => {
    sameShape((program) => program(['debug', 'info']).stdout);
  });

  it('has the same lines with BORG_SHOW_SYSINFO=no', () => {
    sameShape((program) => program(['debug', 'info'], { env: { BORG_SHOW_SYSINFO: 'no' } }).stdout);
  });

  it('stands behind an error with --debug', () => {
    sameShape((program) => {
      const { stderr } = program(['list', '--debug', space.join('nowhere')], { accept: anything });
      return stderr.slice(stderr.indexOf('\nPlatform: ')).trimEnd();
    });
  });
});

describe('debug convert-profile', () => {
  it('makes the same of a profile', () => {
    space.borg(['--debug-profile', space.join('profile'), 'list', space.join('repo-repokey')]);
    const [ours, theirs] = [space.alcove, space.borg].map((program) => {
      program(['debug', 'convert-profile', 'profile', 'marshal']);
      return readMarshal(readFileSync(space.join('marshal')));
    });
    assert.ok((ours as unknown[]).length > 100);
    assert.deepEqual(ours, theirs);
  });
});

describe('benchmark crud', () => {
  it('prints the same lines, and leaves nothing behind', () => {
    const folder = space.join('benchmark');
    const repository = space.join('repo-repokey');
    const list = () => space.borg(['list', '--consider-checkpoints', '--short', repository]).stdout;
    const before = list();
    const [ours, theirs] = [space.alcove, space.borg].map((program) => {
      const env = { _BORG_BENCHMARK_CRUD_TEST: 'YES' };
      const { stdout } = program(['benchmark', 'crud', repository, folder], { env });
      assert.deepEqual([readdirSync(folder), list()], [[], before]);
      return stdout.replaceAll(/ +\d+\.\d\d(?=s| MB)/g, ' 0');
    });
    assert.equal(ours!.split('\n').length, 9);
    assert.equal(ours, theirs);
  });
});
