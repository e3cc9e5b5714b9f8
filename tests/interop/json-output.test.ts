import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { checkJsonOutput, type Printed } from '../cli/json-output.ts';
import { Workspace } from '../workspace.ts';

/** Keys of the documents and lines of each schema, and of what is inside of them. */
function shapes(printed: Printed): Record<string, string[]> {
  return Object.fromEntries(
    [...printed].map(([name, values]) => [
      name,
      [...new Set(values.flatMap((value) => keysOf(value)))].toSorted(),
    ]),
  );
}

function keysOf(value: unknown, inside: unknown = ''): string[] {
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.flatMap((each) => keysOf(each, `${String(inside)}[]`));
  const type = 'type' in value ? `(${String(value.type)})` : '';
  return Object.entries(value).flatMap(([key, held]) => {
    const name = `${String(inside)}${type}.${key}`;
    return [name, ...keysOf(held, name)];
  });
}

function printedBy(side: 'alcove' | 'borg'): Printed {
  using space = new Workspace();
  return checkJsonOutput(space, space[side]);
}

describe('JSON', () => {
  it('of both programs is as the schemas say, with the same fields', () => {
    assert.deepEqual(shapes(printedBy('alcove')), shapes(printedBy('borg')));
  });
});
