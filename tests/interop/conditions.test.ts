import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { referenceConditions, referencePackage, referenceSources } from './reference-source.ts';

describe('the table of errors and warnings', () => {
  let sources: Map<string, string>;
  before(() => {
    sources = referenceSources(referencePackage());
  });

  it("is the one in the reference's source", () => {
    const recorded = readFileSync(new URL('../vectors/conditions.json', import.meta.url), 'utf8');
    assert.deepEqual(JSON.parse(recorded), referenceConditions(sources.values()));
  });
});

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Operations that nothing here does, and why. */
const notDone: Readonly<Record<string, string>> = {
  'upgrade.convert_segments': 'repositories of Attic are not converted',
  'extract.permissions': 'Borg never shows it: its output ends with the progress before it',
};

/** Variables that say nothing to a user. */
const internal = ['_BORG_BENCHMARK_CRUD_TEST', 'LD_PRELOAD', 'ATTIC_CACHE_DIR', 'ATTIC_KEYS_DIR', 'PATH'];

describe("the reference's source", () => {
  let text: string;
  before(() => {
    text = [...referenceSources(referencePackage()).values()].join('\n');
  });

  it('names no operation of a progress that ours does not', () => {
    const ours = globSync('src/**/*.ts', { cwd: root })
      .map((name) => readFileSync(join(root, name), 'utf8'))
      .join('\n');
    const names = [...text.matchAll(/msgid='([a-z_]+(?:\.[a-z_]+)*)'/g)].map((match) => match[1]!);
    assert.ok(names.length > 10);
    const missing = names.filter((name) => !ours.includes(`'${name}'`) && !(name in notDone));
    assert.deepEqual(missing, []);
  });

  it('asks for no variable that docs/ENVIRONMENT.md leaves out', () => {
    const page = readFileSync(join(root, 'docs/ENVIRONMENT.md'), 'utf8');
    const found = text.matchAll(/environ(?:\.get\(|\[)['"](\w+)['"]|env_var_override='(\w+)'/g);
    const names = new Set([...found].map((match) => match[1] ?? match[2]!));
    assert.ok(names.size > 20);
    const missing = [...names].filter((name) => !internal.includes(name) && !page.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });
});
