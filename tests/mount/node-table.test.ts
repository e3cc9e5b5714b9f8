import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from '../properties.ts';
import { NodeTable, NONE, ROOT_NODE } from '../../src/mount/node-table.ts';
import { fromUtf8, toUtf8Lossy } from '../../src/util/bytes.ts';

const SURROUNDED = 3;

/** Adds a name from within longer bytes, as the names of paths are. */
function link(table: NodeTable, directory: number, node: number, name: string): number {
  const bytes = fromUtf8(`ab/${name}/cd`);
  return table.link(directory, node, bytes, SURROUNDED, bytes.length - SURROUNDED);
}

function namesIn(table: NodeTable, directory: number): [string, number][] {
  const names: [string, number][] = [];
  for (let edge = table.firstEdge(directory); edge !== NONE; edge = table.nextEdge(edge)) {
    assert.equal(table.directory(edge), directory);
    names.push([toUtf8Lossy(table.name(edge)), table.target(edge)]);
  }
  return names;
}

const name = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('a', 'b', 'c', ''));
const step = fc.record({ directory: fc.nat(), target: fc.option(fc.nat()), name });

test('NodeTable holds the names of each directory as a Map does, in the order of their first adding', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 800 }), (steps) => {
      const table = new NodeTable();
      const model: Map<string, number>[] = [new Map()];
      for (const { directory, target, name: text } of steps) {
        const parent = directory % model.length;
        const known = target === null ? undefined : target % model.length;
        const node = known ?? table.addNode();
        if (known === undefined) model.push(new Map());
        assert.equal(node, known ?? model.length - 1);
        link(table, parent, node, text);
        model[parent]!.set(text, node);
      }
      if (steps.length % 2 === 0) table.trim();
      for (const [directory, names] of model.entries()) {
        assert.deepEqual(namesIn(table, directory), [...names]);
        for (const [text, node] of names) {
          assert.equal(table.target(table.find(directory, fromUtf8(text))), node);
        }
        assert.equal(table.find(directory, fromUtf8('no such name')), NONE);
      }
      assert.equal(table.nodeCount, model.length);
    }),
    { numRuns: 60 },
  );
});

test('NodeTable keeps what is known of nodes while it grows and after trim()', () => {
  const table = new NodeTable();
  const nodes = Array.from({ length: 3000 }, () => table.addNode());
  for (const node of nodes) {
    table.setItem(node, node & 0xffff, 4_000_000_000 - node, node * 1000);
    table.setLinks(node, node + 1);
  }
  table.trim();
  table.addNode();
  for (const node of nodes) {
    assert.equal(table.mode(node), node & 0xffff);
    assert.equal(table.chunk(node), 4_000_000_000 - node);
    assert.equal(table.offset(node), node * 1000);
    assert.equal(table.links(node), node + 1);
  }
  assert.equal(table.chunk(ROOT_NODE), NONE);
  assert.equal(table.edgeOf(nodes[7]!), NONE);
});

test('NodeTable takes 100,000 names in one directory, and no more than 100 bytes for each beyond it', () => {
  const table = new NodeTable();
  const count = 100_000;
  for (let number = 0; number < count; number++) link(table, ROOT_NODE, table.addNode(), `file ${number}`);
  table.trim();
  assert.equal(table.target(table.find(ROOT_NODE, fromUtf8('file 99999'))), count);
  assert.equal(namesIn(table, ROOT_NODE).length, count);
  assert.ok(table.sizeBytes - table.namesBytes < 100 * count, `${table.sizeBytes} bytes`);
});

test('NodeTable refuses a name whose length it has no room for', () => {
  assert.throws(() => link(new NodeTable(), ROOT_NODE, 0, 'x'.repeat(0x10000)), RangeError);
});
