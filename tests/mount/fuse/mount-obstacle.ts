import { closeSync, openSync, readFileSync } from 'node:fs';

const CAP_SYS_ADMIN = 21n;

/** Why nothing can be mounted here. */
export function mountObstacle(): string | undefined {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
  } catch (error) {
    return `/dev/fuse can't be opened: ${(error as Error).message}`;
  }
  const rights = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if (((BigInt(`0x${rights}`) >> CAP_SYS_ADMIN) & 1n) === 0n || process.getuid?.() !== 0) {
    return 'only root can mount in these tests';
  }
  return undefined;
}
