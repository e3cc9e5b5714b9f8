/**
 * The value of `mount -o`: options of ours, of FUSE and of the kernel, parted by commas; a backslash keeps a comma.
 *
 * Source: Borg 1.4.5, fuse.py, FuseOperations.mount; libfuse 3, lib/mount.c (fuse_mount_opts, mount_flags).
 */
import { GeneralError } from '../../errors.ts';
import { MOUNT_FLAGS, type MountFlag } from '../../platform/fuse-mount.ts';

export interface MountOptions {
  readonly versions: boolean;
  readonly allowDamagedFiles: boolean;
  /** In place of all owners and groups. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Taken away from all modes. */
  readonly umask: number;
  /** Only root and who mounts it; the kernel lets everybody then. */
  readonly allowRoot: boolean;
  readonly source: string;
  readonly subtype: string | undefined;
  readonly flags: readonly MountFlag[];
  /** For the FUSE of the kernel. */
  readonly kernelOptions: readonly string[];
  /** What nobody knows. */
  readonly unknown: readonly string[];
}

/** What takes each flag away again; `strictatime` has no other word. */
const OPPOSITES: Readonly<Record<string, MountFlag>> = {
  rw: 'ro',
  suid: 'nosuid',
  dev: 'nodev',
  exec: 'noexec',
  async: 'sync',
  atime: 'noatime',
  diratime: 'nodiratime',
};
const KERNEL_WORDS = ['allow_other', 'default_permissions'];
const KERNEL_VALUES = /^(?:max_read|blksize|context|fscontext|defcontext|rootcontext)=/;
/** For mount(8) and older versions of FUSE; they change nothing here. */
const IGNORED =
  /^(?:nonempty|auto|noauto|user|nouser|users|_netdev|nofail|defaults|x-.*|comment=.*|user=.*)$/;

/** Throws a GeneralError on a value that is none. */
export function parseMountOptions(text: string | undefined): MountOptions {
  const words = (text ?? '').split(/(?<!\\),/).map((word) => word.replaceAll(/\\(.)/g, '$1'));
  const own = new OwnOptions(words.filter((word) => word !== ''));
  const ignoresPermissions = own.flag('ignore_permissions');
  const options = {
    allowDamagedFiles: own.flag('allow_damaged_files'),
    versions: own.flag('versions'),
    uid: own.number('uid', 10),
    gid: own.number('gid', 10),
    umask: own.number('umask', 8) ?? 0,
  };
  const flags = new Set<MountFlag>(['ro', 'nosuid', 'nodev']);
  const kernelOptions = new Set(ignoresPermissions ? [] : ['default_permissions']);
  const unknown: string[] = [];
  let source = 'borgfs';
  let subtype: string | undefined;
  let allowRoot = false;
  for (const word of own.left) {
    const opposite = OPPOSITES[word];
    if (opposite !== undefined) flags.delete(opposite);
    else if (isFlag(word)) flags.add(word);
    else if (word.startsWith('fsname=')) source = word.slice('fsname='.length);
    else if (word.startsWith('subtype=')) subtype = word.slice('subtype='.length);
    else if (word === 'allow_root') allowRoot = true;
    else if (KERNEL_WORDS.includes(word) || KERNEL_VALUES.test(word)) kernelOptions.add(word);
    else if (!IGNORED.test(word)) unknown.push(word);
  }
  if (allowRoot) kernelOptions.add('allow_other');
  return {
    ...options,
    allowRoot,
    source,
    subtype,
    flags: [...flags],
    kernelOptions: [...kernelOptions],
    unknown,
  };
}

function isFlag(word: string): word is MountFlag {
  return Object.hasOwn(MOUNT_FLAGS, word);
}

/** Takes out the words of Borg's own options; of a word that is there twice, the second is nobody's. */
class OwnOptions {
  readonly left: string[];

  constructor(words: string[]) {
    this.left = words;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (value === undefined) return false;
    if (value === '' || ['y', 'yes', 'true', '1'].includes(value.toLowerCase())) return true;
    if (['n', 'no', 'false', '0'].includes(value.toLowerCase())) return false;
    throw unsupported(`${name}=${value}`);
  }

  number(name: string, base: 8 | 10): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const digits = base === 8 ? /^(?:0o)?[0-7]{1,6}$/i : /^(?:0|[1-9]\d{0,9})$/;
    const number = digits.test(value) ? Number.parseInt(value.replace(/^0o/i, ''), base) : Infinity;
    if (number >= 2 ** 32) throw unsupported(`${name}=${value}`);
    return number;
  }

  #take(name: string): string | undefined {
    const index = this.left.findIndex((word) => word === name || word.startsWith(`${name}=`));
    if (index < 0) return undefined;
    const [word = ''] = this.left.splice(index, 1);
    return word.slice(name.length + 1);
  }
}

function unsupported(option: string): GeneralError {
  return new GeneralError([`unsupported value in option: ${option}`]);
}
