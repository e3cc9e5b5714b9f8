// Runs some commands for V8 to compile what they need, and keeps its code beside the program (see bin/program.js).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const recorder = fileURLToPath(new URL('record-code.mjs', import.meta.url));
const TIMEOUT_MS = 20_000;
const FILES = 40;

const COMMANDS = [
  'init -e repokey repo',
  'create repo::one files',
  'create --stats repo::two files',
  'list repo',
  'list repo::one',
  'info repo',
  'extract repo::one',
  'check repo',
  'prune --dry-run --keep-daily 7 repo',
];

/** `node` is the one that the program will run under, `folder` where it was built. Without the code it starts all the same. */
export function compileAhead(node, folder) {
  const home = mkdtempSync(join(tmpdir(), 'alcove-build-'));
  try {
    mkdirSync(join(home, 'files'));
    for (let number = 0; number < FILES; number++) {
      writeFileSync(join(home, 'files', `${number}`), `${number}\n`.repeat(50 * number));
    }
    const { PATH } = process.env;
    const env = { PATH, HOME: home, BORG_BASE_DIR: home, BORG_PASSPHRASE: 'none' };
    for (const command of COMMANDS) {
      const args = [recorder, folder, ...command.split(' ')];
      const { status, stderr } = spawnSync(node, args, { cwd: home, env, timeout: TIMEOUT_MS });
      if (status !== 0) throw new Error(`${command}: ${stderr}`);
    }
  } catch (error) {
    removeCode(join(folder, 'command'));
    console.error(`Commands will start a little slower, as none could be compiled ahead: ${error.message}`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function removeCode(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.code'));
  for (const name of names) rmSync(join(folder, name));
}
