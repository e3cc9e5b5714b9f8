/** Tars that both programs write and read, and tars of others that both read. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { noise } from '../noise.ts';
import { Workspace, type Program } from '../workspace.ts';

const isRoot = process.getuid?.() === 0;
const space = new Workspace();
const tree = (...parts: string[]) => space.join('tree', ...parts);
const repository = space.join('repo');
const DEEP = `${'n'.repeat(130)}/${'m'.repeat(130)}`;
let count = 0;

before(() => {
  for (const folder of ['links', 'many', DEEP]) mkdirSync(tree(folder), { recursive: true });
  writeFileSync(tree('large'), noise(3_000_000, 1));
  writeFileSync(tree('empty'), '');
  writeFileSync(tree('block'), 'x'.repeat(1024));
  writeFileSync(tree(DEEP, 'file'), 'deep');
  writeFileSync(tree('\u00fcn\u00ef'), 'not ASCII');
  writeFileSync(Buffer.concat([Buffer.from(`${tree()}/latin-`), Buffer.of(0xe9)]), 'not UTF-8');
  writeFileSync(tree('hundred'.padEnd(95, '-')), 'a name that just fits');
  writeFileSync(tree('fraction'), 'rounded up');
  execFileSync('touch', ['-d', '2023-01-02 03:04:05.999999999', tree('fraction')]);
  writeFileSync(tree('links', 'first'), noise(70_000, 3));
  for (const name of ['second', 'third']) linkSync(tree('links', 'first'), tree('links', name));
  symlinkSync('t'.repeat(200), tree('links', 'symbolic'));
  execFileSync('mkfifo', [tree('links', 'fifo')]);
  writeFileSync(tree('sparse'), 'x'.repeat(5000));
  truncateSync(tree('sparse'), 3_000_000);
  writeFileSync(tree('fragments'), '');
  for (let at = 0; at < 40; at++) {
    const stretch = ['if=/dev/zero', 'bs=4096', 'count=1', `seek=${at * 20}`, 'conv=notrunc', 'status=none'];
    execFileSync('dd', [`of=${tree('fragments')}`, ...stretch]);
  }
  for (let at = 0; at < 30; at++) writeFileSync(tree('many', `file-${at}`), noise(20_000 * at, at + 10));
  if (isRoot) {
    execFileSync('mknod', [tree('links', 'device'), 'b', '8', '300000']);
    execFileSync('chown', ['4000000000:5000000', tree('block')]);
  }
  execFileSync('setfattr', ['-n', 'user.bin', '-v', '0sAP8KPQ==', tree('large')]);
  space.borg(['init', '--encryption', 'repokey', repository]);
  space.borg(['create', `${repository}::tree`, 'tree']);
});
after(() => space[Symbol.dispose]());

/** What is stored of an archive, but what differs by who made it, and when. */
function dump(name: string): unknown {
  space.borg(['debug', 'dump-archive', `${repository}::${name}`, space.join('dump.json')]);
  const { _meta, _items } = JSON.parse(readFileSync(space.join('dump.json'), 'utf8')) as {
    _meta: Record<string, unknown>;
    _items: unknown[];
  };
  rmSync(space.join('dump.json'));
  const { size, nfiles, chunker_params: chunker, comment, cwd, hostname, username } = _meta;
  return { meta: { size, nfiles, chunker, comment, cwd, hostname, username }, items: _items };
}

/** Imports by a program and gives what it printed and what is in the archive. */
function imported(program: Program, file: string, args: readonly string[] = [], input?: Uint8Array) {
  const name = `import-${count++}`;
  const { status, stderr } = program(['import-tar', '--list', ...args, `${repository}::${name}`, file], {
    accept: [0, 1],
    ...(input && { input }),
  });
  return { status, stderr, archive: dump(name) };
}

/** Both programs, from a file, and alcove from a pipe. */
function importsAlike(file: string, args: readonly string[] = []): void {
  const expected = imported(space.borg, file, args);
  assert.deepEqual(imported(space.alcove, file, args), expected);
  assert.deepEqual(imported(space.alcove, '-', args, readFileSync(space.join(file))), expected);
}

/** What GNU tar writes. Some formats have no room for all names: it says so, and leaves them out. */
function gnuTar(args: readonly string[], ...paths: readonly string[]): Buffer {
  return spawnSync('tar', [...args, '-cf', '-', ...paths], { cwd: space.path, maxBuffer: 1 << 28 }).stdout;
}

const PYTHON = `
import io, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT, pax_headers={'uname': 'all'}) as tar:
    for name, headers in [('a', {'mtime': '1234567890.987654321'}), ('b', {'uid': '4294967296123', 'gid': 'x'}),
                          ('c', {'path': '/abs/../n\\u00e4me/', 'atime': '5', 'SCHILY.xattr.user.x': 'y'})]:
        info = tarfile.TarInfo(name); info.size = 3; info.pax_headers = headers
        tar.addfile(info, io.BytesIO(b'abc'))
    info = tarfile.TarInfo('char'); info.type = tarfile.CHRTYPE; info.devmajor = 300; info.devminor = 70000
    tar.addfile(info)
`;

describe('export-tar', () => {
  for (const [title, args, paths] of [
    ['an archive', [], []],
    ['a part of it, without the first name of a hard link', ['--exclude', '*/first'], []],
    ['one directory', [], ['tree/links']],
    ['without leading components', ['--strip-components', '1'], []],
    ['without more of them than most have', ['--strip-components', '2'], []],
    ['what patterns say', ['--pattern', '+ *file-1*', '--pattern', '- **'], []],
  ] as const) {
    it(`writes the same bytes as Borg: ${title}`, () => {
      const words = ['export-tar', '--list', ...args, `${repository}::tree`];
      const ours = space.alcove([...words, 'ours.tar', ...paths]);
      assert.deepEqual(ours, space.borg([...words, 'theirs.tar', ...paths]));
      assert.deepEqual(readFileSync(space.join('ours.tar')), readFileSync(space.join('theirs.tar')));
    });
  }

  it('writes the same to the standard output', () => {
    const [ours, theirs] = [space.alcove, space.borg].map((program) =>
      program(['export-tar', `${repository}::tree`, '-', 'tree/links']),
    );
    assert.equal(ours!.stdout, theirs!.stdout);
  });

  it('warns of patterns that match nothing, and writes an empty tar, as Borg does', () => {
    const args = ['export-tar', `${repository}::tree`, 'none.tar', 'nothing'];
    const ours = space.alcove(args, { accept: [1] });
    assert.deepEqual(readFileSync(space.join('none.tar')), Buffer.alloc(10_240));
    assert.deepEqual(ours, space.borg(args, { accept: [1] }));
  });

  for (const format of ['GNU', 'PAX', 'BORG']) {
    it(
      `writes what GNU tar unpacks to the same tree (${format})`,
      { skip: !isRoot && 'needs root for owners' },
      () => {
        space.alcove(['export-tar', '--tar-format', format, `${repository}::tree`, 'unpack.tar']);
        mkdirSync(space.join('unpacked'));
        const attributes = format === 'GNU' ? [] : ['--xattrs'];
        execFileSync('tar', ['xpf', space.join('unpack.tar'), '--numeric-owner', ...attributes], {
          cwd: space.join('unpacked'),
          stdio: 'pipe',
        });
        const listed = (folder: string) =>
          execFileSync(
            'find',
            [
              'tree',
              '-printf',
              `%p %M %n %U %G %s %l ${format === 'GNU' ? '' : '%T@'}\\n`,
              '!',
              '-name',
              'none',
            ],
            { cwd: folder, encoding: 'latin1' },
          )
            .split('\n')
            .toSorted()
            // The size of a directory, and the times of what was written into it.
            .map((line) => line.replace(/^(\S+ d.*?) \d+ (\s*)(\S*)$/, '$1'));
        assert.deepEqual(listed(space.join('unpacked')), listed(space.path));
        execFileSync('diff', [
          '-r',
          '--no-dereference',
          '-x',
          'fifo',
          '-x',
          'device',
          space.join('unpacked', 'tree'),
          tree(),
        ]);
        if (format !== 'GNU') {
          const value = execFileSync('getfattr', [
            '-e',
            'base64',
            '-n',
            'user.bin',
            '--only-values',
            space.join('unpacked', 'tree', 'large'),
          ]);
          assert.deepEqual(value, Buffer.from('AP8KPQ==', 'base64'));
        }
        rmSync(space.join('unpacked'), { recursive: true });
      },
    );
  }
});

describe('import-tar', () => {
  for (const format of ['GNU', 'PAX']) {
    it(`makes what Borg makes of what alcove exports (${format})`, () => {
      space.alcove(['export-tar', '--tar-format', format, `${repository}::tree`, 'again.tar']);
      importsAlike('again.tar');
    });
  }

  it('brings back all of an archive by way of the BORG format', () => {
    space.alcove(['export-tar', '--tar-format', 'BORG', `${repository}::tree`, 'whole.tar']);
    const { archive } = imported(space.alcove, 'whole.tar') as { archive: { items: unknown } };
    assert.deepEqual(archive.items, (dump('tree') as { items: unknown }).items);
  });

  const compressions = [
    ['tar.gz', 'gzip'],
    ['tar.zst', 'zstd'],
    ['tar.lz4', 'lz4'],
  ] as const;
  for (const [ending, program] of compressions) {
    const skip = spawnSync(program, ['--version']).error !== undefined && `no ${program} here`;
    it(`reads what either program compressed by ${program} (.${ending})`, { skip }, () => {
      const plain = space.borg(['export-tar', `${repository}::tree`, '-', 'tree/links']).stdout;
      for (const writer of [space.alcove, space.borg]) {
        writer(['export-tar', `${repository}::tree`, `links.${ending}`, 'tree/links']);
        const unpacked = execFileSync(program, ['-dc', space.join(`links.${ending}`)], { encoding: 'utf8' });
        assert.equal(unpacked, plain);
        assert.deepEqual(imported(space.alcove, `links.${ending}`), imported(space.borg, `links.${ending}`));
      }
    });
  }

  it('makes what Borg makes of all formats of GNU tar, of sparse files, and of pax headers by Python', () => {
    const parts = ['gnu', 'oldgnu', 'posix', 'ustar', 'v7'].map((format) =>
      gnuTar([`--format=${format}`], './tree'),
    );
    const sparse = ['tree/sparse', 'tree/fragments', 'tree/block'];
    parts.push(...['gnu', 'oldgnu'].map((format) => gnuTar([`--format=${format}`, '-S'], ...sparse)));
    for (const version of ['0.0', '0.1', '1.0']) {
      parts.push(gnuTar(['--format=posix', `--sparse-version=${version}`, '-S'], ...sparse));
    }
    parts.push(gnuTar(['-V', 'label'], 'tree/block'));
    if (spawnSync('bsdtar', ['--version']).status === 0) {
      parts.push(execFileSync('bsdtar', ['-cf', '-', 'tree/links'], { cwd: space.path }));
    }
    if (spawnSync('python3', ['-c', 'import tarfile']).status === 0) {
      parts.push(execFileSync('python3', ['-c', PYTHON], { cwd: space.path }));
    }
    writeFileSync(space.join('all.tar'), Buffer.concat(parts));
    importsAlike('all.tar', ['--ignore-zeros']);
  });

  it('ends at the first end, as Borg does, and says that there is more', () => {
    const parts = ['tree/links', 'tree/block'].map((path) => gnuTar([], path));
    writeFileSync(space.join('both.tar'), Buffer.concat(parts));
    const ours = imported(space.alcove, 'both.tar');
    const theirs = imported(space.borg, 'both.tar');
    assert.deepEqual([ours.status, ours.archive], [theirs.status, theirs.archive]);
    assert.match(ours.stderr, /there is more behind its end/);
  });

  it('takes options as Borg does', () => {
    execFileSync('tar', ['-cf', space.join('options.tar'), 'tree/many', 'tree/large'], { cwd: space.path });
    const args = [
      '--comment',
      'a text',
      '--timestamp',
      '2001-02-03T04:05:06',
      '-C',
      'none',
      '--chunker-params',
      '10,23,16,4095',
      '--filter',
      'd',
    ];
    importsAlike('options.tar', args);
  });

  it('leaves a repository that Borg finds in order', () => {
    space.alcove(['import-tar', `${repository}::kept`, 'again.tar']);
    space.borg(['check', '--verify-data', repository]);
    space.borg(['extract', '--dry-run', `${repository}::kept`]);
  });
});

describe('wrong commands end with the exit codes of Borg', () => {
  for (const args of [
    ['export-tar', 'REPO::none', 'out.tar'],
    ['export-tar', 'REPO::tree', 'no/such/folder/out.tar'],
    ['export-tar', '--tar-filter', 'false', 'REPO::tree', 'out.tar'],
    ['export-tar', '--tar-filter', 'no-such-program', 'REPO::tree', 'out.tar'],
    ['export-tar', '--tar-filter', '"', 'REPO::tree', 'out.tar'],
    ['export-tar', '--tar-filter', 'sh -c "cat >/dev/null; exit 3"', 'REPO::tree', 'out.tar'],
    ['export-tar', 'REPO::tree'],
    ['export-tar', 'REPO', 'out.tar'],
    ['import-tar', 'REPO::tree', 'again.tar'],
    ['import-tar', 'REPO::new', 'no-such-file'],
    ['import-tar', 'REPO::new', 'tree/large'],
    ['import-tar', 'REPO::new', 'tree/empty'],
    ['import-tar', '--tar-filter', 'false', 'REPO::new', 'again.tar'],
    ['import-tar', '--tar-filter', 'gzip -d', 'REPO::new', 'again.tar'],
    ['import-tar', '--stats', '--quick-stats', 'REPO::new', 'again.tar'],
  ]) {
    it(args.join(' '), () => {
      const words = args.map((word) => word.replace('REPO', repository));
      const run = (program: Program) =>
        program(words, { env: { BORG_EXIT_CODES: 'modern' }, accept: [0, 1, 2, 3, 4, 5, 30, 31] });
      const [ours, theirs] = [run(space.alcove), run(space.borg)];
      assert.equal(ours.status, theirs.status, ours.stderr);
      assert.doesNotMatch(ours.stderr, /Internal error/);
      assert.equal(existsSync(space.join('new')), false);
    });
  }
});
