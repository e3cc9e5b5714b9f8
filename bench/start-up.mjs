// How long the program takes to start: `node bench/start-up.mjs [RUNS]`. Prints the shortest and the median time in ms of
// `--version`, of a server that has no client (at most 120 ms), and of Node alone. Builds nothing: run `npm run build`
// first.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const runs = Number(process.argv[2] ?? 25);
const command = fileURLToPath(new URL('../bin/alcove.js', import.meta.url));
const subjects = { node: ['-e', ''], '--version': [command, '--version'], serve: [command, 'serve'] };
for (const [name, args] of Object.entries(subjects)) {
  const times = Array.from({ length: runs }, () => {
    const startMs = performance.now();
    spawnSync(process.execPath, args, { input: '' });
    return performance.now() - startMs;
  }).toSorted((a, b) => a - b);
  const [least, median] = [times[0], times[runs >> 1]].map((ms) => `${ms.toFixed(0)} ms`.padStart(8));
  console.log(name.padEnd(10), least, median);
}
