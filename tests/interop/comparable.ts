/** What has to be equal in two outcomes: all but what differs from run to run, and alcove's advice after errors. */
import * as errors from '../../src/errors.ts';
import type { TwinOutcome } from './twins.ts';

export interface Comparable {
  readonly status: number;
  readonly stdout: unknown;
  readonly stderr: unknown;
}

export interface ComparisonOptions {
  /** Where the programs' own files are. */
  readonly folders: readonly string[];
  /** Ids and sizes that contain the length of a command line differ, too. */
  readonly ownArchives: boolean;
}

export function comparable(outcome: TwinOutcome, options: ComparisonOptions): Comparable {
  const text = (output: string) => normalize(output, options);
  return {
    status: outcome.status,
    stdout: structured(text(outcome.stdout)),
    stderr: structured(withoutUsage(withoutHints(text(outcome.stderr)))),
  };
}

const always: readonly [RegExp, string][] = [
  [/"(time|duration)": [\d.e-]+/g, '"$1": 0'],
  [/(Duration: )[\d.]+ (?:micro)?seconds/g, '$1'],
  // Of "benchmark crud".
  [/^([CRUD]-\w-\S+) +[\d.]+ MB\/s (.*: )[\d.]+s\)$/gm, '$1 $2'],
  [/(pid |vm@\d+\.)\d+/g, '$1<pid>'],
  [/lock\.exclusive\.\w+\.tmp/g, 'lock.exclusive.<random>.tmp'],
  // Answers come from the clock: whether there is one at all depends on the speed.
  [/^\{"original_size".*"archive_progress", "finished": false\}\n/gm, ''],
  [/^\{.*"levelname": "DEBUG".*\n/gm, ''],
  // Manifests are among it, whose compressed sizes depend on the time in them.
  [/(compaction freed about )-?[\d.]+ [kMGT]?B/g, '$1'],
];

const ofOwnArchives: readonly [RegExp, string][] = [
  [/(?:\w{3}, )?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?/g, '<time>'],
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/(All archives:|Deleted data:|Chunk index:|Utilization of max)[^"\n]*/g, '$1'],
  [/(This archive: .*?B +)[^"\n]*/g, '$1'],
  [/"((?:total|unique)_\w*|max_archive_size|(?:compressed|deduplicated)_size)": [\d.e-]+/g, '"$1": 0'],
];

function normalize(output: string, { folders, ownArchives }: ComparisonOptions): string {
  let text = output;
  for (const folder of folders) text = text.replaceAll(folder, '<folder>');
  text = text.replaceAll(/\balcove\b/g, 'borg');
  for (const [found, replacement] of [...always, ...(ownArchives ? ofOwnArchives : [])]) {
    text = text.replaceAll(found, replacement);
  }
  return text;
}

/** Advice that alcove gives below an error, and Borg does not. */
const hints = new Set(
  Object.values(errors).flatMap((value) =>
    typeof value === 'function' && 'condition' in value
      ? ((value.condition as { hint?: string }).hint ?? [])
      : [],
  ),
);

function withoutHints(text: string): string {
  return text
    .split('\n')
    .filter((line) => !hints.has(line))
    .join('\n');
}

function withoutUsage(text: string): string {
  return text.replace(/^usage: .*\n(?: .*\n)*/m, '');
}

/** JSON as values, so that the order of keys does not matter: one value, or one a line. */
function structured(text: string): unknown {
  if (!/^[{[]/m.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text.split('\n').map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        return line;
      }
    });
  }
}
