#!/usr/bin/env node
// Stands in for ssh over a long line: what goes in either direction arrives half of SLOW_SSH_MS later. The rest is as
// with fake-ssh, whose words it takes.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const delayMs = Number(process.env['SLOW_SSH_MS'] ?? 50) / 2;
const child = spawn(fileURLToPath(new URL('fake-ssh', import.meta.url)), process.argv.slice(2), {
  stdio: ['pipe', 'pipe', 'inherit'],
});
process.on('SIGINT', () => {});
delayed(process.stdin, child.stdin);
delayed(child.stdout, process.stdout);
const code = await new Promise((resolve) => child.on('close', resolve));
setTimeout(() => process.exit(code ?? 1), delayMs);

/** Each piece goes its own way, so that they overtake no other and need no longer for being many. */
function delayed(from, to) {
  to.on('error', () => from.destroy());
  from.on('data', (piece) => setTimeout(() => to.write(piece), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.end());
}
