// Builds what a clone and a package need: the chunker's WebAssembly kernel beside its source, as a file and as a
// module, and the bundle in dist/. Runs at the end of `npm ci` (the "prepare" script), so it must work on the
// oldest Node that npm may use.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { compileAhead } from './compile-ahead.mjs';
import { isBuilt } from './is-built.mjs';
import { mergeChunks } from './merge-chunks.mjs';
import { writeScripts } from './write-scripts.mjs';

// npm runs this also the first time that somebody starts the program by npx, who may not be allowed to write here.
if (process.argv.includes('--if-needed') && isBuilt()) process.exit(0);

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/chunker/buzhash.as.ts');
const wasm = join(root, 'src/chunker/buzhash.wasm');
const dist = join(root, 'dist');

const kernelFlags = '--runtime stub -O3 --importMemory --noExportMemory --initialMemory 1'.split(' ');
if (existsSync(source)) {
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const result = spawnSync(process.execPath, [asc, source, '-o', wasm, ...kernelFlags], {
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  // Less than a kilobyte: as a module of its own it needs no file to be found at run time.
  const base64 = readFileSync(wasm).toString('base64');
  writeFileSync(`${wasm}.ts`, `export const BUZHASH_WASM =\n  '${base64}';\n`);
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// Built aside and then put in place, so that a program that starts meanwhile finds a whole bundle, old or new.
const fresh = `${dist}.new`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh);
const options = {
  absWorkingDir: root,
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  packages: 'external',
  define: { ALCOVE_VERSION: JSON.stringify(version) },
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
};
await build({ ...options, entryPoints: { index: join(root, 'src/index.ts') } });
const command = join(fresh, 'command');
const { metafile } = await build({
  ...options,
  metafile: true,
  outdir: command,
  entryPoints: { main: join(root, 'src/cli/entry.ts') },
});
await mergeChunks(command, metafile);
await writeScripts(command);
// A thread needs all of its program at once, and each file takes Node half a millisecond or more to load.
const whole = {
  'pipeline-worker': join(root, 'src/pipeline/pipeline-worker.ts'),
  'open-worker': join(root, 'src/pipeline/open-worker.ts'),
  'verify-worker': join(root, 'src/pipeline/verify-worker.ts'),
  'segment-worker': join(root, 'src/archive/check/segment-worker.ts'),
  'walk-worker': join(root, 'src/archive/create/walk-worker.ts'),
  'manual-pages': join(root, 'src/cli/help/man-page.ts'),
};
await build({ ...options, entryPoints: whole, splitting: false });

// The bundle needs the program's own Node, which may be newer than the one that runs this.
const pinned = join(root, 'node_modules/node/bin/node');
const node = existsSync(pinned) ? pinned : process.execPath;
const manual = [join(root, 'scripts/write-manual.mjs'), fresh, join(fresh, 'man')];
if (spawnSync(node, manual, { stdio: 'inherit' }).status === 0) listManualPages();
else console.error('There are no manual pages.');
rmSync(join(fresh, 'manual-pages.js'));

compileAhead(node, fresh);

// Whether the types are right is for `npm run check` to say; they are written in any case.
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const types = ['--project', join(root, 'tsconfig.types.json'), '--outDir', join(fresh, 'types')];
spawnSync(process.execPath, [compiler, ...types], { stdio: 'ignore' });
if (!existsSync(join(fresh, 'types/index.d.ts')))
  console.error('There are no types for users of the library.');

rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);

/** npm wants to know each page by name; package.json is written only where the list has changed. */
function listManualPages() {
  const file = join(root, 'package.json');
  const text = readFileSync(file, 'utf8');
  const parsed = JSON.parse(text);
  parsed.man = readdirSync(join(fresh, 'man/man1'))
    .toSorted()
    .map((name) => `dist/man/man1/${name}`);
  const listed = `${JSON.stringify(parsed, undefined, 2)}\n`;
  if (listed === text) return;
  writeFileSync(`${file}.new`, listed);
  renameSync(`${file}.new`, file);
}
