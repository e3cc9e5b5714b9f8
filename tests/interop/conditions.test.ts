import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';

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
