/**
 * What the reference's own source says of itself: where it is, and the errors and warnings that it defines. Facts are
 * taken from it while a test runs; nothing of it is kept.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Workspace } from '../workspace.ts';

/** The folder of the reference's Python package, as the stack below one of its errors names it. */
export function referencePackage(): string {
  using space = new Workspace();
  const { stderr } = space.borg(['--debug', 'list', space.join('none')], { accept: [2] });
  const file = /File "([^"]*\/borg\/archiver\.py)"/.exec(stderr)?.[1];
  if (file === undefined) throw new Error(`the reference names no file of its own:\n${stderr}`);
  return dirname(file);
}

/** Path below the package, and text, of each file of the program itself. */
export function referenceSources(folder: string): Map<string, string> {
  const names = globSync('**/*.py', { cwd: folder }).filter((name) => !name.startsWith('testsuite/'));
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** A class of an error or a warning. */
export interface ReferenceCondition {
  /** Name with those of the classes that it stands in. */
  readonly msgid: string;
  /** With BORG_EXIT_CODES=modern. */
  readonly exitCode: number;
  /** What str.format() makes the message of. */
  readonly message: string;
  readonly isWarning: boolean;
}

interface PythonClass {
  readonly qualifiedName: string;
  readonly indent: number;
  readonly bases: readonly string[];
  docstring: string | undefined;
  exitCode: number | undefined;
}

const genericCodes: Readonly<Record<string, number>> = { EXIT_ERROR: 2, EXIT_WARNING: 1 };

/** Sorted by name; without what only serves as a base (ErrorBase). */
export function referenceConditions(sources: Iterable<string>): ReferenceCondition[] {
  const all = [...sources].flatMap(classesOf);
  const classes = new Map(all.map((of) => [lastName(of), of]));
  const inherited = <T>(of: PythonClass, get: (of: PythonClass) => T | undefined): T | undefined => {
    const own = get(of);
    if (own !== undefined) return own;
    for (const base of of.bases) {
      const value = classes.has(base) ? inherited(classes.get(base)!, get) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const descends = (of: PythonClass, root: string): boolean =>
    lastName(of) === root || of.bases.some((base) => classes.has(base) && descends(classes.get(base)!, root));
  return all
    .flatMap((of) => {
      const isWarning = descends(of, 'BorgWarning') || descends(of, 'BackupError');
      if (!isWarning && !descends(of, 'Error')) return [];
      const exitCode = inherited(of, ({ exitCode: code }) => code)!;
      return [
        {
          msgid: of.qualifiedName,
          exitCode,
          message: inherited(of, ({ docstring }) => docstring) ?? '',
          isWarning,
        },
      ];
    })
    .toSorted((a, b) => (a.msgid < b.msgid ? -1 : 1));
}

const lastName = ({ qualifiedName }: PythonClass): string =>
  qualifiedName.slice(qualifiedName.lastIndexOf('.') + 1);

/** Classes outside of functions, with the first text and the exit code that stand in each. */
function classesOf(text: string): PythonClass[] {
  const found: PythonClass[] = [];
  const open: PythonClass[] = [];
  const block =
    /^( *)(?:class (\w+)(?:\((.*)\))?:|def |exit_mcode = (\w+)|(?:__doc__ = textwrap\.dedent\()?"""([\s\S]*?)""")/gm;
  let functionIndent = Number.POSITIVE_INFINITY;
  for (const [, space = '', name, bases = '', code, docstring] of text.matchAll(block)) {
    const indent = space.length;
    if (indent <= functionIndent) functionIndent = Number.POSITIVE_INFINITY;
    else continue;
    while (open.length > 0 && open.at(-1)!.indent >= indent) open.pop();
    const holder = open.at(-1);
    if (name !== undefined) {
      const qualifiedName = holder === undefined ? name : `${holder.qualifiedName}.${name}`;
      const parents = bases.split(',').map((base) => base.trim());
      const made = { qualifiedName, indent, bases: parents, docstring: undefined, exitCode: undefined };
      open.push(made);
      found.push(made);
    } else if (code !== undefined) {
      if (holder !== undefined) holder.exitCode = genericCodes[code] ?? Number(code);
    } else if (docstring === undefined) {
      functionIndent = indent;
    } else if (holder !== undefined) {
      holder.docstring ??= plain(docstring);
    }
  }
  return found;
}

/** Lines without what they are indented by; of escapes, there is only that of the line's end. */
function plain(docstring: string): string {
  const lines = docstring.replaceAll('\\n', '\n').split('\n');
  return lines
    .map((line) => line.trim())
    .join('\n')
    .trim();
}
