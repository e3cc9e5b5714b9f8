import { resolve } from 'node:path';
import {
  benchmarkCrud,
  CRUD_TESTS,
  CRUD_TRIAL,
  type CrudTest,
  type CrudTimes,
} from '../../archive/benchmark-crud.ts';
import { formatFileSize } from '../../util/file-size.ts';
import { formatFixed } from '../../util/python-float.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { openSessionAt, type SessionNeeds } from '../open-session.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface BenchmarkCrudArgs extends CommonArgs, LocationArgs {
  readonly path: string;
}

export const benchmarkCrudCommand = defineCommand<BenchmarkCrudArgs>({
  name: 'benchmark crud',
  description: `
Measures how fast archives are created, read, updated and deleted, with all-zero and random files that it makes in
PATH/borg-test-data, in an existing repository. It needs about 1 GB of free space at PATH and in the repository each, and
removes all of it at the end but what "compact" frees.

A line begins with C (create, without files cache), R (read, writing nothing), U (create again from unchanged files) or D
(delete); then come the test, the speed, and number and size of the files. Z files hold zeros, R files noise. Nothing is
compressed.

The passphrase had better come from the environment: typing it is part of no measurement, but once it is asked for.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'PATH', dest: 'path', arity: 'one', help: 'where the files are made' },
  ],
  options: [],
  examples: [{ command: 'alcove benchmark crud /path/to/repo /tmp', text: 'measure; takes minutes' }],

  async run(ctx, args) {
    const knowing = await askedOnce(ctx, args);
    const tests = ctx.env['_BORG_BENCHMARK_CRUD_TEST'] === undefined ? CRUD_TESTS : CRUD_TRIAL;
    const options = {
      open: (needs: SessionNeeds) =>
        openSessionAt(knowing, args, { ...needs, compression: { name: 'none' } as const }),
      path: resolve(ctx.cwd, args.path),
      cmdline: ctx.io.commandLine,
    };
    for (const test of tests) print(ctx, test, await benchmarkCrud(options, test));
  },
});

/** The context, with the answer to the question for the passphrase. */
async function askedOnce(ctx: CliContext, args: BenchmarkCrudArgs): Promise<CliContext> {
  let answer: string | undefined;
  const readPassphrase = async (prompt: string) => (answer = await ctx.readPassphrase(prompt));
  const session = await openSessionAt({ ...ctx, readPassphrase }, args, { operations: ['write', 'delete'] });
  await session.close();
  return { ...ctx, readPassphrase: () => Promise.resolve(answer) };
}

function print(ctx: CliContext, test: CrudTest, times: CrudTimes): void {
  const { name, count, sizeBytes, random } = test;
  const megabytes = (count * sizeBytes) / 1e6;
  const files = `${count} * ${formatFileSize(sizeBytes)} ${random ? 'random' : 'all-zero'} files`;
  for (const [letter, seconds] of [
    ['C', times.create],
    ['R', times.read],
    ['U', times.update],
    ['D', times.delete],
  ] as const) {
    const speed = formatFixed(megabytes / seconds, 2).padStart(9);
    ctx.print(`${letter}-${name.padEnd(10)} ${speed} MB/s (${files}: ${formatFixed(seconds, 2)}s)\n`);
  }
}
