// Runs the fault campaigns, of any size: see tests/faults/run.ts. Builds first what is out of date, since processes that
// are killed run the bundle.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuilt } from './is-built.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
if (!isBuilt()) {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
const args = ['tests/faults/run.ts', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
