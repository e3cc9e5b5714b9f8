#!/usr/bin/env node
// The command for those who start it by Node (`node bin/alcove.js`); bin/alcove comes here too. Runs the bundle under
// a Node that is new enough: the one that runs this file, else the one that `npm ci` put beside the program.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  const { runProgram } = await import('./program.js');
  runProgram(new URL('../dist/', import.meta.url));
} else {
  // Here only: each takes a millisecond of every start.
  const { spawn } = await import('node:child_process');
  const { existsSync } = await import('node:fs');
  const { constants } = await import('node:os');
  const { fileURLToPath } = await import('node:url');
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    console.error(`alcove needs Node.js 24.12 or newer; this is ${process.versions.node}.`);
    process.exit(2);
  }
  // By the name that it was started by: it decides what the program calls itself.
  const args = process.argv.slice(1);
  if (process.execve !== undefined) process.execve(node, [node, ...args], process.env);
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    console.error(`alcove cannot run ${node}: ${error.message}`);
    process.exit(2);
  });
  child.on('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal] ?? 0)));
}
