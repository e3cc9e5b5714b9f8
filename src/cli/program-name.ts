import { basename } from 'node:path';
import type { Environment } from '../util/context.ts';

/** What the program calls itself: `borg` where it stands in for Borg. */
export type ProgramName = 'alcove' | 'borg';

/** By the name that it was started by, e.g. that of a link, or as ALCOVE_AS_BORG=1 says. */
export function programName(startedAs: readonly (string | undefined)[], env: Environment): ProgramName {
  if (env['ALCOVE_AS_BORG'] === '1') return 'borg';
  return startedAs.some(isBorg) ? 'borg' : 'alcove';
}

/** What `borgfs` is given is what `mount` is given: so fstab may name it. */
export function commandArguments(
  args: readonly string[],
  startedAs: readonly (string | undefined)[],
): readonly string[] {
  if (!startedAs.some(isBorgfs)) return args;
  return args.length === 1 && (args[0] === '-V' || args[0] === '--version') ? args : ['mount', ...args];
}

function isBorg(path = ''): boolean {
  return ['borg', 'borg.js'].includes(basename(path)) || isBorgfs(path);
}

function isBorgfs(path = ''): boolean {
  return ['borgfs', 'borgfs.js'].includes(basename(path));
}

/** Command lines in a text of help, which are written for `alcove`, as the user types them. */
export function nameProgram(text: string, name: ProgramName): string {
  return name === 'alcove' ? text : text.replaceAll(/\balcove(?= (?:[a-z<[]|-{1,2}[a-zA-Z]))/g, name);
}
