#!/usr/bin/env node
// Stands in for ssh over a line that breaks: after BREAK_AFTER_BYTES from the client, it is gone. The rest is as with
// fake-ssh, whose words it takes.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

let leftBytes = Number(process.env['BREAK_AFTER_BYTES'] ?? Infinity);
const child = spawn(fileURLToPath(new URL('fake-ssh', import.meta.url)), process.argv.slice(2), {
  stdio: ['pipe', 'inherit', 'inherit'],
});
child.stdin.on('error', () => {});
child.on('close', (code) => process.exit(code ?? 1));
process.on('SIGINT', () => {});
process.stdin.on('data', (piece) => {
  child.stdin.write(piece.subarray(0, leftBytes));
  leftBytes -= piece.length;
  if (leftBytes > 0) return;
  process.stdin.destroy();
  child.stdin.end();
});
process.stdin.on('end', () => child.stdin.end());
