import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { gidToName, homeOf, nameToGid, nameToUid, uidToName } from '../../src/platform/users.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

/** Lines of a database, with the first of each name and number only, which is the one that a lookup finds. */
function entries(file: string): string[][] {
  const names = new Set<string>();
  const numbers = new Set<string>();
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':'))
    .filter(([name, , number]) => {
      const fresh = !names.has(name!) && !numbers.has(number!);
      names.add(name!);
      numbers.add(number!);
      return fresh;
    });
}

describe('users.ts', () => {
  it('finds every user of the password file both ways', () => {
    const users = entries('/etc/passwd');
    assert.ok(users.length > 0);
    for (const [name, , uid, , , home] of users) {
      assert.equal(text(uidToName(Number(uid))), name);
      assert.equal(nameToUid(fromUtf8(name!)), Number(uid));
      assert.equal(homeOf(Number(uid)), home);
      assert.equal(homeOf(name!), home);
    }
  });

  it('finds every group of the group file both ways', () => {
    const groups = entries('/etc/group');
    assert.ok(groups.length > 0);
    for (const [name, , gid] of groups) {
      assert.equal(text(gidToName(Number(gid))), name);
      assert.equal(nameToGid(fromUtf8(name!)), Number(gid));
    }
  });

  it('knows no one of an unknown number or name', () => {
    for (const number of [4_000_000_123, 2 ** 32 - 1]) {
      assert.equal(uidToName(number), undefined);
      assert.equal(gidToName(number), undefined);
    }
    for (const name of ['', 'no-such-one', 'a\0b', 'ä\u{10ffff}']) {
      assert.equal(nameToUid(fromUtf8(name)), undefined);
      assert.equal(nameToGid(fromUtf8(name)), undefined);
    }
    assert.equal(homeOf('no-such-one'), undefined);
  });

  it('works in a worker thread', async () => {
    const module = new URL('../../src/platform/users.ts', import.meta.url).href;
    const program = `
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(module)}).then(({ uidToName }) => parentPort.postMessage(uidToName(0)));`;
    const worker = new Worker(program, { eval: true });
    const [name] = (await once(worker, 'message')) as [Uint8Array];
    assert.deepEqual(name, uidToName(0));
    await worker.terminate();
  });
});
