import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whether dist/ is there and nothing that it is made from has changed since. */
export function isBuilt() {
  try {
    const builtMs = statSync(join(root, 'dist/command/main.cjs')).mtimeMs;
    statSync(join(root, 'src/chunker/buzhash.wasm'));
    const sources = readdirSync(join(root, 'src'), { recursive: true }).map((name) => join('src', name));
    return [
      ...sources,
      'package.json',
      'scripts/build.mjs',
      'scripts/merge-chunks.mjs',
      'scripts/write-scripts.mjs',
      'scripts/compile-ahead.mjs',
      'scripts/record-code.mjs',
      'bin/program.js',
      'tsconfig.types.json',
    ].every((name) => statSync(join(root, name)).mtimeMs <= builtMs);
  } catch {
    return false;
  }
}
