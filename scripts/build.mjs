// Builds what a clone and a package need: the chunker's WebAssembly kernel beside its source, and the bundle in
// dist/. Runs at the end of `npm ci` (the "prepare" script), so it must work on the oldest Node that npm may use.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/chunker/buzhash.as.ts');
const wasm = join(root, 'src/chunker/buzhash.wasm');
const dist = join(root, 'dist');

const kernelFlags = ['--runtime', 'stub', '-O3', '--importMemory', '--sharedMemory', '--enable', 'threads'];
const memoryFlags = ['--initialMemory', '1', '--maximumMemory', '65536'];
if (existsSync(source)) {
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const result = spawnSync(process.execPath, [asc, source, '-o', wasm, ...kernelFlags, ...memoryFlags], {
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  entryPoints: {
    main: join(root, 'src/cli/entry.ts'),
    index: join(root, 'src/index.ts'),
    'pipeline-worker': join(root, 'src/pipeline/pipeline-worker.ts'),
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  packages: 'external',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
});
if (existsSync(wasm)) copyFileSync(wasm, join(dist, 'buzhash.wasm'));
