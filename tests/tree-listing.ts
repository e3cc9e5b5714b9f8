/** Everything that a restore must bring back, read with the system's own tools: no code of this project in between. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** One line an entry, in order of the paths' bytes, then what getfattr, getfacl and lsattr say of the tree. */
export function listTree(root: string): string[] {
  const lines: string[] = [];
  walk(Buffer.from(root), Buffer.from('.'), lines, new Map());
  const attributes = ['-R', '-P', '-h', '-d', '-m', '^(user|trusted|security)\\.', '-e', 'hex', '.'];
  lines.push(...paragraphs(tool('getfattr', attributes, root)));
  lines.push(...paragraphs(tool('getfacl', ['-R', '-P', '-n', '-p', '.'], root)));
  lines.push(...keptFlags(tool('lsattr', ['-R', '-a', '.'], root)));
  return lines;
}

/** The tools list folders in the order of the disk; only what they say of each entry counts. */
function paragraphs(output: string): string[] {
  return output
    .split('\n\n')
    .filter(Boolean)
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/** Of the flags, those that a backup keeps: append only, no dump, immutable. */
function keptFlags(output: string): string[] {
  const lines = [...output.matchAll(/^([\w-]{10,}) (.*)$/gm)].map(([, flags, path]) => {
    return `${path} ${flags!.replaceAll(/[^adi]/g, '')}`;
  });
  return lines.filter((line) => !line.endsWith(' ')).toSorted((a, b) => (a < b ? -1 : 1));
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

function tool(command: string, args: string[], cwd: string): string {
  // Some entries (sockets, dangling links) make these tools complain; what they print for the others counts.
  const { stdout, error } = spawnSync(command, args, { cwd, encoding: 'latin1', maxBuffer: 1 << 28 });
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  // Where the tool is missing, what it would say is left out of both sides; the interop suite insists on the tools.
  return stdout ?? '';
}
