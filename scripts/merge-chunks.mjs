// esbuild makes a chunk for each set of entry points that share something: more than a hundred, and each file takes Node half
// a millisecond or more to load. Puts those into one file that are loaded together anyway.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Makes `core.js` of what the program always loads, and `session.js` of what most commands load that open a repository.
 * `metafile` is what esbuild tells of its outputs in the folder.
 */
export async function mergeChunks(folder, metafile) {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const core = loadedBy(outputs, 'main.js');
  const commands = [...outputs.keys()]
    .filter((name) => outputs.get(name).entryPoint?.startsWith('src/cli/commands/'))
    .map((name) => loadedBy(outputs, name))
    .filter((loaded) => [...loaded].some((name) => 'src/cli/open-session.ts' in outputs.get(name).inputs));
  // What one of these imports is in as many closures, or more: nothing comes back to them from outside.
  const isCommon = (name) => 2 * commands.filter((loaded) => loaded.has(name)).length >= commands.length;
  const chunks = [...outputs.keys()].filter((name) => outputs.get(name).entryPoint === undefined);
  const places = new Map();
  for (const [file, names] of [
    ['core.js', chunks.filter((name) => core.has(name))],
    ['session.js', chunks.filter((name) => !core.has(name) && isCommon(name))],
  ]) {
    const merged = withoutClashes(outputs, names);
    // A file that stays by itself may not need the one that needs it.
    const others = names.filter((name) => !merged.includes(name));
    if (others.some((name) => merged.some((one) => loadedBy(outputs, name).has(one)))) continue;
    await writeMerged(folder, file, merged);
    for (const name of merged) places.set(name, file);
  }
  for (const name of places.keys()) rmSync(join(folder, name));
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace(/"\.\/(chunk-\w+\.js)"/g, (all, chunk) =>
        places.has(chunk) ? `"./${places.get(chunk)}"` : all,
      ),
    );
  }
}

/** Without those that export what another exports under the same name; of those, what loads the least is left out. */
function withoutClashes(outputs, names) {
  const exported = new Set();
  const merged = new Set();
  const byLoad = names.toSorted((a, b) => loadedBy(outputs, b).size - loadedBy(outputs, a).size);
  for (const name of byLoad) {
    const own = outputs.get(name).exports;
    if (own.some((one) => exported.has(one))) continue;
    for (const one of own) exported.add(one);
    merged.add(name);
  }
  return names.filter((name) => merged.has(name));
}

/** Names of the outputs that are loaded with one. */
function loadedBy(outputs, first) {
  const loaded = new Set([first]);
  for (const name of loaded) {
    for (const { path, kind, external } of outputs.get(name).imports) {
      if (kind === 'import-statement' && external !== true) loaded.add(basename(path));
    }
  }
  return loaded;
}

async function writeMerged(folder, file, names) {
  const others = ({ path }) => (names.includes(basename(path)) ? undefined : { path, external: true });
  await build({
    stdin: { contents: names.map((name) => `export * from './${name}';`).join('\n'), resolveDir: folder },
    outfile: join(folder, file),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [{ name: 'others', setup: (builder) => builder.onResolve({ filter: /^\.\// }, others) }],
  });
}
