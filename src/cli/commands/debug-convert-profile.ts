import { GeneralError } from '../../errors.ts';
import { convertProfile, ProfileError } from '../../format/python-profile.ts';
import { defineCommand } from '../command.ts';
import { readInputBytes } from '../input-file.ts';
import type { CommonArgs } from '../options/common.ts';
import { writeFile } from '../output/dump.ts';

interface ConvertProfileArgs extends CommonArgs {
  readonly input: string;
  readonly output: string;
}

export const debugConvertProfile = defineCommand<ConvertProfileArgs>({
  name: 'debug convert-profile',
  description: `
Converts a profile that Borg's --debug-profile has written to the format of Python's cProfile, for tools that read that.
This program's own --debug-profile writes the format of Chrome's developer tools, which needs no conversion.`,
  positionals: [
    { metavar: 'INPUT', dest: 'input', arity: 'one', help: 'the profile' },
    { metavar: 'OUTPUT', dest: 'output', arity: 'one', help: 'the file to write' },
  ],
  options: [],
  examples: [
    { command: 'alcove debug convert-profile borg.profile borg.pyprof', text: 'for pstats and others' },
  ],

  async run(ctx, args) {
    const profile = await readInputBytes(ctx, args.input);
    let converted: Uint8Array;
    try {
      converted = convertProfile(profile);
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      throw new GeneralError([`${args.input} is no profile of Borg: ${error.message}`], error);
    }
    writeFile(ctx, args.output, converted);
  },
});
