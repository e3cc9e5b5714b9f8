import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { quoteShellWord } from '../util/shell-quote.ts';

/**
 * What a user types to start the program that runs, whatever the directory: its name where the search path leads to
 * it, else its whole path. The folders that npm puts in front of the search path for its own children don't count:
 * the user's shell does not have them, and `npx alcove` elsewhere would fetch a package of that name.
 */
export function programWord(scriptPath: string, searchPath = '', name: 'alcove' | 'borg' = 'alcove'): string {
  const script = realPath(scriptPath) ?? resolve(scriptPath);
  // The shell's `alcove` beside the script is the shorter way.
  const program = realPath(script.replace(/\/borg\.js$/, '/alcove.js').replace(/\.js$/, '')) ?? script;
  const folders = searchPath.split(delimiter).filter((folder) => !isNpmFolder(folder));
  const found = folders.map((folder) => realPath(join(folder, name))).find((path) => path !== undefined);
  if (found === program) return name;
  return `${isExecutable(program) ? '' : 'node '}${quoteShellWord(program)}`;
}

function isNpmFolder(folder: string): boolean {
  return /(?:^|\/)node_modules\/\.bin\/?$|\/node-gyp-bin\/?$/.test(folder) || folder === '';
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
