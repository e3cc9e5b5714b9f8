// Runs the test suite: `node scripts/test.mjs [unit|interop|…]`. Without a name: all but the suites that need the
// reference Borg, which live under tests/interop and run by `npm run test:interop`. Builds first what is out of date.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuilt } from './is-built.mjs';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const suite = process.argv[2];
const pattern = suite === undefined ? 'tests/**/*.test.ts' : `tests/${suite}/**/*.test.ts`;
const files = globSync(pattern).filter((file) => suite === 'interop' || !file.startsWith('tests/interop/'));
if (files.length === 0) {
  console.error(`no test file matches ${pattern}`);
  process.exit(1);
}
if (!isBuilt()) {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
const flags = ['--test', '--test-timeout=280000', '--test-concurrency=2'];
const result = spawnSync(process.execPath, [...flags, ...files.toSorted()], { stdio: 'inherit' });
process.exit(result.status ?? 1);
