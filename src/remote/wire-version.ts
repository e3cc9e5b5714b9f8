/**
 * Versions as client and server tell them to each other: an array of integers that compare one by one.
 *
 * | release     | array             |
 * |-------------|-------------------|
 * | 1.4.5       | 1 4 5 -1          |
 * | 1.2.0a4     | 1 2 0 -4 4        |
 * | 1.1.0b3     | 1 1 0 -3 3        |
 * | 1.1.0rc1    | 1 1 0 -2 1        |
 * | 1.4.5.dev1  | 1 4 5 -9 1        |
 *
 * Source: Borg 1.4.5 version.py, parse_version() and format_version().
 */
import type { MsgpackValue } from '../msgpack/value.ts';

export type WireVersion = readonly number[];

/** The release of Borg whose protocol both roles here speak. */
export const SPOKEN_VERSION: WireVersion = [1, 4, 5, -1];

/** What a peer that says nothing has: the last release that didn't. */
export const SILENT_VERSION: WireVersion = [1, 0, 8, -1];

const STAGES: Readonly<Record<string, number>> = { a: -4, b: -3, rc: -2, dev: -9 };
const STAGE_TEXTS: ReadonlyMap<number, string> = new Map([
  [-4, 'a'],
  [-3, 'b'],
  [-2, 'rc'],
  [-9, '.dev'],
]);
const MAX_PARTS = 8;

/** Throws a RangeError where the text is no version. */
export function parseWireVersion(text: string): WireVersion {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:\.?(a|b|rc|dev)(\d+))?/.exec(text);
  if (match === null) throw new RangeError(`not a version: ${JSON.stringify(text)}`);
  const [, major, minor, patch, stage, number] = match;
  const release = [Number(major), Number(minor), Number(patch)];
  return stage === undefined ? [...release, -1] : [...release, STAGES[stage]!, Number(number)];
}

export function formatWireVersion(version: WireVersion): string {
  const end = version.findIndex((part) => part < 0);
  const release = version.slice(0, end < 0 ? undefined : end).join('.');
  const stage = STAGE_TEXTS.get(version[end] ?? -1);
  return stage === undefined ? release : `${release}${stage}${version[end + 1] ?? ''}`;
}

/** The version in a message; undefined where it is none. */
export function decodeWireVersion(value: MsgpackValue | undefined): WireVersion | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PARTS) return undefined;
  const parts = value as readonly MsgpackValue[];
  return parts.every((part) => typeof part === 'number' && Number.isInteger(part))
    ? (parts as WireVersion)
    : undefined;
}

/** Negative where `a` is older than `b`. */
export function compareWireVersions(a: WireVersion, b: WireVersion): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (part !== other) return part - other;
  }
  return a.length - b.length;
}
