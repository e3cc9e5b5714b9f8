import { parseSearchTerm, searchObjects, type Finding } from '../../archive/debug/search-objects.ts';
import { storedObjects } from '../../archive/debug/stored-objects.ts';
import { toHex } from '../../util/bytes.ts';
import { reprBytes } from '../../util/python-bytes.ts';
import { defineCommand } from '../command.ts';
import { openRepositoryAt } from '../open-repository.ts';
import type { CommonArgs } from '../options/common.ts';
import { locationOf, type LocationArgs } from '../options/positionals.ts';

interface SearchRepoObjsArgs extends CommonArgs, LocationArgs {
  readonly wanted: string;
}

export const debugSearchRepoObjs = defineCommand<SearchRepoObjsArgs>({
  name: 'debug search-repo-objs',
  description: `
Looks for bytes in all objects of a repository, decrypted and decompressed, and across the borders of objects that follow
each other. The index of the repository has to be right.

A line tells the object's number, its id, how often it holds the bytes, and the first place with what stands around it.`,
  positionals: [
    locationOf('REPOSITORY', 'the repository', { archive: 'none' }),
    { metavar: 'WANTED', dest: 'wanted', arity: 'one', help: 'hex:123ABC for bytes, or str:foobar for text' },
  ],
  options: [],
  examples: [{ command: 'alcove debug search-repo-objs /path/to/repo str:needle', text: 'find a text' }],

  async run(ctx, args) {
    await using repository = await openRepositoryAt(ctx, args);
    const wanted = parseSearchTerm(args.wanted);
    const onProgress = (count: number) => ctx.print(`${count} objects processed.\n`);
    for await (const finding of searchObjects(storedObjects(ctx, repository), wanted, onProgress)) {
      ctx.print(`${line(finding, wanted)}\n`);
    }
    ctx.print('Done.\n');
  },
});

function line({ number, id, previousId, count, before, after }: Finding, wanted: Uint8Array): string {
  const place = previousId === undefined ? `${toHex(id)} #${count}` : `${toHex(previousId)} | ${toHex(id)}`;
  const parts = [before, wanted, after];
  return `${number} ${place}: ${parts.map(toHex).join(' ')} == ${parts.map(reprBytes).join(' ')}`;
}
