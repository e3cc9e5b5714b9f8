/** How far the kernel reads ahead in a mounted file system. Source: Linux, Documentation/ABI/testing/sysfs-class-bdi. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Bytes that a path of mountinfo(5) has as `\ooo`. */
const ESCAPED = /\\([0-7]{3})/g;

/** Sets it for what was mounted there last; for root. What can't be set stays as it is. */
export function setReadAhead(mountpoint: Uint8Array, sizeBytes: number): void {
  try {
    const device = deviceAt(Buffer.from(mountpoint).toString('latin1'));
    if (device !== undefined) writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, `${sizeBytes / 1024}`);
  } catch {
    // Only the speed depends on it.
  }
}

/** Major and minor number. */
function deviceAt(mountpoint: string): string | undefined {
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n').toReversed()) {
    const [, , device, , path = ''] = line.split(' ');
    const plain = path.replace(ESCAPED, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    if (plain === mountpoint) return device;
  }
  return undefined;
}
