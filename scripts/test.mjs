// Runs tests: `node scripts/test.mjs [FOLDER [FILE…]]`, e.g. `interop kill sharing`. Without a folder: all but the suites
// that need the reference Borg, which live under tests/interop and run by `npm run test:interop`. Builds first what is
// out of date.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuilt } from './is-built.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const [suite, ...names] = process.argv.slice(2);
const folder = suite === undefined ? 'tests' : `tests/${suite}`;
const patterns = (names.length === 0 ? ['*'] : names).map((name) => `${folder}/**/${name}.test.ts`);
const files = globSync(patterns).filter((file) => suite === 'interop' || !file.startsWith('tests/interop/'));
if (files.length < Math.max(1, names.length)) {
  console.error(`no test file matches one of ${patterns.join(' ')}`);
  process.exit(1);
}
if (!isBuilt()) {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
// The campaign of 200 kills is one test, and takes minutes.
const timeoutMs = suite === 'interop' ? 1_200_000 : 280_000;
const flags = ['--test', `--test-timeout=${timeoutMs}`, '--test-concurrency=2'];
const result = spawnSync(process.execPath, [...flags, ...files.toSorted()], { stdio: 'inherit' });
process.exit(result.status ?? 1);
