import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const src = join(root, 'src');

/** What each folder of src/ may import, besides itself and errors.ts. docs/ARCHITECTURE.md shows the same table. */
const storage = ['store', 'format', 'msgpack', 'platform', 'util'];
const allowed: Readonly<Record<string, readonly string[]>> = {
  util: [],
  msgpack: ['util'],
  format: ['msgpack', 'util'],
  crypto: ['util'],
  compress: ['util'],
  chunker: ['util'],
  platform: ['util'],
  store: ['platform', 'util'],
  repository: storage,
  remote: ['repository', 'format', 'msgpack', 'platform', 'util'],
  keys: ['repository', 'crypto', 'format', 'msgpack', 'platform', 'util'],
  pipeline: ['crypto', 'compress', 'chunker', 'format', 'platform', 'util'],
  archive: [...storage, 'repository', 'keys', 'crypto', 'compress', 'chunker', 'pipeline'],
  mount: ['archive', 'crypto', 'format', 'platform', 'util'],
};

/** Modules of Node that reach the outside world, and the folders that may use them. */
const outside = /^node:(?:process|fs|fs\/promises|child_process|dgram|http|http2|https|net|tls|tty|os)$/;
const mayReachOutside = new Set(['platform', 'store', 'remote']);

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    file: relative(src, file),
    target: (match[2] ?? match[3])!,
    typeOnly: match[1] !== undefined,
  }));
}

const imports = globSync(join(src, '**/*.ts'))
  .filter((file) => !file.endsWith('.as.ts'))
  .flatMap(importsOf);

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

describe('the layers of src/', () => {
  it('have imports to look at', () => {
    assert.ok(imports.length > 100, `found only ${imports.length} imports`);
  });

  it('import only what the table allows', () => {
    const broken: string[] = [];
    for (const { file, target } of imports) {
      const from = folderOf(file);
      if (!target.startsWith('.') || from === '' || from === 'cli') continue;
      const to = relative(src, resolve(src, dirname(file), target));
      if (to === 'errors.ts' || folderOf(to) === from) continue;
      if (!allowed[from]?.includes(folderOf(to))) broken.push(`${file} imports ${to}`);
    }
    assert.deepEqual(broken, []);
  });

  it('see of the repository only its types in keys/', () => {
    const broken = imports.filter(
      ({ file, target, typeOnly }) =>
        folderOf(file) === 'keys' && target.includes('/repository/') && !typeOnly,
    );
    assert.deepEqual(broken, []);
  });

  it('reach the outside world only in platform, store, remote and the entry', () => {
    const broken = imports.filter(({ file, target, typeOnly }) => {
      if (!outside.test(target) || typeOnly) return false;
      return !mayReachOutside.has(folderOf(file)) && file !== 'cli/entry.ts';
    });
    assert.deepEqual(broken, []);
  });

  it('use the global process only in platform, store, remote and the entry', () => {
    const broken = globSync(join(src, '**/*.ts'))
      .map((file) => relative(src, file))
      .filter((file) => !mayReachOutside.has(folderOf(file)) && file !== 'cli/entry.ts')
      .filter((file) =>
        /(?<![\w.'"-])process\.(?!ts)[a-z]/.test(withoutComments(readFileSync(join(src, file), 'utf8'))),
      );
    assert.deepEqual(broken, []);
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
}
