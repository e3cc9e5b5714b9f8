/**
 * Who holds a lock: the names of files in `lock.exclusive/` and the JSON of `lock.roster`.
 *
 * A file's name is `<host id>.<pid, decimal>-<thread, hex>`. The roster is an object with the keys `shared` and
 * `exclusive`, each a list of `[host id, pid, thread]`.
 * Source: Borg 1.4.5 locking.py, ExclusiveLock and LockRoster.
 */

export interface LockOwner {
  readonly host: string;
  readonly pid: number;
  readonly thread: number;
}

export type LockMode = 'shared' | 'exclusive';

export type LockRoster = Record<LockMode, readonly LockOwner[]>;

export function encodeLockName(owner: LockOwner): string {
  return `${owner.host}.${owner.pid}-${owner.thread.toString(16)}`;
}

/** Undefined for a name that is not one of ours. */
export function decodeLockName(name: string): LockOwner | undefined {
  const match = /^(?<host>.*)\.(?<pid>[0-9]+)-(?<thread>[0-9a-fA-F]+)$/s.exec(name);
  if (match?.groups === undefined) return undefined;
  const { host, pid, thread } = match.groups;
  const owner = { host: host!, pid: Number(pid), thread: Number.parseInt(thread!, 16) };
  return Number.isSafeInteger(owner.pid) && Number.isSafeInteger(owner.thread) ? owner : undefined;
}

/** JSON as Python's json.dump writes it. */
export function encodeLockRoster(roster: LockRoster): string {
  const modes = (['shared', 'exclusive'] as const).map((mode) => {
    const owners = roster[mode].map((owner) => `[${quote(owner.host)}, ${owner.pid}, ${owner.thread}]`);
    return `"${mode}": [${owners.join(', ')}]`;
  });
  return `{${modes.join(', ')}}`;
}

/** An unreadable roster counts as an empty one, and an unreadable owner as absent, as in Borg. */
export function decodeLockRoster(text: string): LockRoster {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { shared: [], exclusive: [] };
  }
  return { shared: owners(value, 'shared'), exclusive: owners(value, 'exclusive') };
}

function owners(value: unknown, mode: LockMode): LockOwner[] {
  if (typeof value !== 'object' || value === null) return [];
  const list: unknown = (value as Partial<Record<LockMode, unknown>>)[mode];
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    if (!Array.isArray(entry) || entry.length !== 3) return [];
    const [host, pid, thread] = entry as unknown[];
    if (typeof host !== 'string' || !Number.isSafeInteger(pid) || !Number.isSafeInteger(thread)) return [];
    return [{ host, pid: pid as number, thread: thread as number }];
  });
}

/** Python escapes everything outside ASCII. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
