/** A member of a tar, with all that headers say about it. */
import type { SparseStretches } from '../../format/tar-sparse.ts';
import { asSize } from '../../format/tar-sparse.ts';
import type { PaxRecord } from '../../format/pax-records.ts';
import { TAR_TYPE, untilNul, type TarHeader } from '../../format/tar-header.ts';
import { TarFormatError } from '../../format/tar-number.ts';
import { fromBinaryString, toBinaryString } from '../../util/bytes.ts';

export interface TarMember {
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly user: Uint8Array;
  readonly group: Uint8Array;
  readonly mtimeNs: bigint;
  readonly deviceMajor: bigint;
  readonly deviceMinor: bigint;
  /** One character; old spellings of files and directories are replaced. */
  readonly type: string;
  /** Of files, and of what has a type that is not known. */
  readonly contents: TarContents | undefined;
  /** What pax headers say, by keyword. */
  readonly pax: ReadonlyMap<string, Uint8Array>;
}

export interface TarContents {
  /** In the tar. */
  readonly offsetBytes: number;
  /** Without padding. */
  readonly storedBytes: number;
  /** Of the file, with zeros that are not stored. */
  readonly sizeBytes: number;
  readonly stretches: SparseStretches | undefined;
}

/** What stands before a member, and is about it. */
export type Extension =
  | { readonly kind: 'name'; readonly text: Uint8Array }
  | { readonly kind: 'link'; readonly text: Uint8Array }
  | {
      readonly kind: 'pax';
      readonly records: ReadonlyMap<string, Uint8Array>;
      readonly own: readonly PaxRecord[];
    };

export type MemberFields = {
  -readonly [Key in keyof Omit<TarMember, 'contents' | 'pax'>]: TarMember[Key];
} & {
  storedBytes: number;
};

const NS_PER_S = 1_000_000_000n;
const REGULAR: ReadonlySet<string> = new Set([
  TAR_TYPE.file,
  TAR_TYPE.oldFile,
  TAR_TYPE.contiguousFile,
  TAR_TYPE.gnuSparse,
]);
const WITHOUT_CONTENTS: ReadonlySet<string> = new Set([
  TAR_TYPE.link,
  TAR_TYPE.symlink,
  TAR_TYPE.directory,
  TAR_TYPE.fifo,
  TAR_TYPE.characterDevice,
  TAR_TYPE.blockDevice,
]);

export function hasContents(type: string): boolean {
  return !WITHOUT_CONTENTS.has(type);
}

/** The fields of a header, changed by what stands before it: what comes first there has the last word. */
export function memberFields(
  header: TarHeader,
  global: ReadonlyMap<string, Uint8Array>,
  extensions: readonly Extension[],
): MemberFields {
  const { sizeBytes, mtimeS, ...rest } = header;
  const oldFolder =
    header.type === TAR_TYPE.oldFile && extensions.length === 0 && header.name.at(-1) === SLASH;
  const fields: MemberFields = {
    ...rest,
    mtimeNs: mtimeS * NS_PER_S,
    storedBytes: asSize(sizeBytes),
    type: oldFolder ? TAR_TYPE.directory : REGULAR.has(header.type) ? TAR_TYPE.file : header.type,
  };
  applyPax(fields, global);
  for (const extension of extensions.toReversed()) {
    if (extension.kind === 'name') fields.name = untilNul(extension.text);
    else if (extension.kind === 'link') fields.linkName = untilNul(extension.text);
    else applyPax(fields, extension.records);
  }
  if (fields.type === TAR_TYPE.directory) fields.name = withoutSlashes(fields.name);
  return fields;
}

const SLASH = 0x2f;

function applyPax(fields: MemberFields, records: ReadonlyMap<string, Uint8Array>): void {
  for (const [keyword, value] of records) {
    switch (keyword) {
      case 'path':
      case 'GNU.sparse.name':
        fields.name = keyword === 'path' ? withoutSlashes(value) : value;
        break;
      case 'linkpath':
        fields.linkName = value;
        break;
      case 'uname':
        fields.user = value;
        break;
      case 'gname':
        fields.group = value;
        break;
      case 'uid':
      case 'gid':
        fields[keyword] = parseInteger(value);
        break;
      case 'size':
        fields.storedBytes = asSize(parseInteger(value));
        break;
      case 'mtime':
        fields.mtimeNs = parseTime(value);
    }
  }
}

/** As Python's int(); what is no number counts as 0, as it does for Python's tarfile. */
function parseInteger(value: Uint8Array): bigint {
  const text = toBinaryString(value).trim();
  const found = /^([+-]?)([0-9]+(?:_[0-9]+)*)$/.exec(text);
  // More digits than any number here has, and fewer than take time.
  if (found === null || found[2]!.length > 4300) return 0n;
  const magnitude = BigInt(found[2]!.replaceAll('_', ''));
  return found[1] === '-' ? -magnitude : magnitude;
}

const FLOAT =
  /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:e[+-]?[0-9]+(?:_[0-9]+)*)?$/i;

/** Seconds with decimals, as ns: by way of a floating point number, as Borg does it. */
function parseTime(value: Uint8Array): bigint {
  const text = toBinaryString(value).trim();
  if (/^[+-]?(?:inf(?:inity)?|nan)$/i.test(text)) throw new TarFormatError(`a time of ${text}`);
  if (!FLOAT.test(text)) return 0n;
  const timeNs = Number(text.replaceAll('_', '')) * 1e9;
  if (!Number.isFinite(timeNs)) throw new TarFormatError(`a time of ${text}`);
  return BigInt(Math.trunc(timeNs));
}

function withoutSlashes(path: Uint8Array): Uint8Array {
  return path.at(-1) === SLASH ? fromBinaryString(toBinaryString(path).replace(/\/+$/, '')) : path;
}
