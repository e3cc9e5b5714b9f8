/** Everything that a restore must bring back, read with the system's own tools: no code of this project in between. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** One line an entry, in order of the paths' bytes, then what getfattr, getfacl and lsattr say of the tree. */
export function listTree(root: string): string[] {
  const lines: string[] = [];
  const firstPathOf = new Map<string, string>();
  walk(Buffer.from(root), Buffer.from('.'), lines, firstPathOf);
  lines.push(
    ...tool(
      'getfattr',
      ['-R', '-P', '-h', '-d', '-m', '^(user|trusted|security)\\.', '-e', 'hex', '.'],
      root,
    ),
  );
  lines.push(...tool('getfacl', ['-R', '-P', '-n', '-p', '.'], root));
  lines.push(
    ...tool('lsattr', ['-R', '-a', '.'], root)
      .map((line) => line.replace(/[eIEV]/, '-'))
      .filter((line) => /^\S*d/.test(line)),
  );
  return lines;
}

function walk(root: Buffer, path: Buffer, lines: string[], firstPathOf: Map<string, string>): void {
  const full = Buffer.concat([root, Buffer.from('/'), path]);
  const stat = lstatSync(full, { bigint: true });
  lines.push(describe(full, path, stat, firstPathOf));
  if (!stat.isDirectory()) return;
  const names = readdirSync(full, { encoding: 'buffer' }).toSorted((a, b) => Buffer.compare(a, b));
  for (const name of names) walk(root, Buffer.concat([path, Buffer.from('/'), name]), lines, firstPathOf);
}

function describe(full: Buffer, path: Buffer, stat: BigIntStats, firstPathOf: Map<string, string>): string {
  const shown = JSON.stringify(path.toString('latin1'));
  const facts = [shown, stat.mode.toString(8), `${stat.uid}:${stat.gid}`, `mtime=${stat.mtimeNs}`];
  if (stat.isFile())
    facts.push(`size=${stat.size}`, createHash('sha256').update(readFileSync(full)).digest('hex'));
  if (stat.isSymbolicLink()) facts.push(`-> ${readlinkSync(full, { encoding: 'latin1' as BufferEncoding })}`);
  if (stat.isCharacterDevice() || stat.isBlockDevice()) facts.push(`rdev=${stat.rdev}`);
  if (!stat.isDirectory() && stat.nlink > 1n) {
    const inode = `${stat.dev}:${stat.ino}`;
    const first = firstPathOf.get(inode);
    if (first === undefined) firstPathOf.set(inode, shown);
    else facts.push(`same as ${first}`);
  }
  return facts.join(' ');
}

function tool(command: string, args: string[], cwd: string): string[] {
  // Some entries (sockets, dangling links) make these tools complain; what they print for the others counts.
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 28,
    }).split('\n');
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined) throw error;
    return stdout.split('\n');
  }
}
