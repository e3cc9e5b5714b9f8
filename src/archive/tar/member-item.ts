/**
 * The item that a member of a tar becomes.
 *
 * Source: Borg 1.4.5, archive.py, TarfileObjectProcessors.
 */
import { GeneralError } from '../../errors.ts';
import { decodeItem, type Item } from '../../format/item.ts';
import { MetadataError } from '../../format/metadata-fields.ts';
import { TAR_TYPE } from '../../format/tar-header.ts';
import { decode } from '../../msgpack/decode.ts';
import { MsgpackError } from '../../msgpack/value.ts';
import { makeDevice } from '../../platform/linux.ts';
import { toBinaryString } from '../../util/bytes.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { makePathSafe, normalizePath } from '../create/path-bytes.ts';
import { BORG_META, BORG_META_VERSION } from './member-header.ts';
import type { TarMember } from './tar-member.ts';

interface MemberKind {
  readonly status: string;
  readonly fileType: number;
}

const KINDS: ReadonlyMap<string, MemberKind> = new Map([
  [TAR_TYPE.file, { status: 'A', fileType: 0o100000 }],
  [TAR_TYPE.directory, { status: 'd', fileType: 0o040000 }],
  [TAR_TYPE.symlink, { status: 's', fileType: 0o120000 }],
  [TAR_TYPE.link, { status: 'h', fileType: 0o100000 }],
  [TAR_TYPE.blockDevice, { status: 'b', fileType: 0o060000 }],
  [TAR_TYPE.characterDevice, { status: 'c', fileType: 0o020000 }],
  [TAR_TYPE.fifo, { status: 'f', fileType: 0o010000 }],
]);
const TYPE_MASK = 0o170000;
const PERMISSIONS = 0o7777;
/** Two days before 63 bits of ns run out, in whole seconds: beyond that, Borg can show no time. */
const MAX_TIME_NS = ((2n ** 63n - 1n - 172_800_000_000_000n) / 1_000_000_000n) * 1_000_000_000n;
const MAX_DEVICE_PART = 2n ** 32n;

/** How the member is listed; undefined for what no archive can have. */
export function statusOf(member: TarMember): string | undefined {
  return KINDS.get(member.type)?.status;
}

/**
 * The item, without contents, of a member whose status is known.
 *
 * @throws GeneralError where a number is none that an item can have, or the metadata of the BORG format is damaged
 */
export function itemOf(member: TarMember): Item {
  const item = ownMetadata(member) ?? plainItem(member);
  if (member.type === TAR_TYPE.symlink || member.type === TAR_TYPE.link) item.source = member.linkName;
  return item;
}

function plainItem(member: TarMember): Item {
  const { fileType } = KINDS.get(member.type)!;
  const { user, group, type, mtimeNs } = member;
  const item: Item = {
    path: pathOf(member),
    mode: integer(member, 'mode', member.mode | BigInt(fileType)),
    uid: integer(member, 'user id', member.uid),
    gid: integer(member, 'group id', member.gid),
    user: user.length === 0 ? null : user,
    group: group.length === 0 ? null : group,
    mtimeNs: mtimeNs < -MAX_TIME_NS ? -MAX_TIME_NS : mtimeNs > MAX_TIME_NS ? MAX_TIME_NS : mtimeNs,
  };
  if (type === TAR_TYPE.blockDevice || type === TAR_TYPE.characterDevice) item.rdev = deviceOf(member);
  return item;
}

function pathOf({ name }: TarMember): Uint8Array {
  return makePathSafe(normalizePath(name));
}

/**
 * What the BORG format carries. The path, the type and the contents are the tar's own all the same: programs that change
 * tars know nothing of these records, and whoever made them must not make us refer to chunks that we did not get.
 */
function ownMetadata(member: TarMember): Item | undefined {
  const version = member.pax.get(BORG_META.version);
  const meta = member.pax.get(BORG_META.meta);
  if (version === undefined || meta === undefined) return undefined;
  if (toBinaryString(version) !== BORG_META_VERSION) return undefined;
  const { fileType } = KINDS.get(member.type)!;
  const {
    chunks: _chunks,
    chunksHealthy: _healthy,
    size: _size,
    part: _part,
    source: _source,
    unknown: _unknown,
    ...rest
  } = decodeMeta(member, meta);
  const mode = rest.mode ?? 0;
  if ((mode & TYPE_MASK) !== fileType) return undefined;
  return { ...rest, path: pathOf(member), mode: fileType | (mode & PERMISSIONS) };
}

function decodeMeta(member: TarMember, meta: Uint8Array): Item {
  try {
    return decodeItem(decode(Buffer.from(toBinaryString(meta), 'base64')));
  } catch (error) {
    if (!(error instanceof MsgpackError || error instanceof MetadataError)) throw error;
    throw new GeneralError([`${toDisplayText(member.name)}: ${BORG_META.meta}: ${error.message}`], error);
  }
}

function integer(member: TarMember, what: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new GeneralError([`${toDisplayText(member.name)}: a ${what} of ${value}`]);
}

function deviceOf(member: TarMember): number {
  const { deviceMajor: major, deviceMinor: minor } = member;
  for (const part of [major, minor]) {
    if (part >= 0n && part < MAX_DEVICE_PART) continue;
    throw new GeneralError([`${toDisplayText(member.name)}: a device number of ${part}`]);
  }
  return integer(member, 'device number', makeDevice(Number(major), Number(minor)));
}
