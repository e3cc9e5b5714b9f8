import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loggedObjects, storedObjects } from '../../../src/archive/debug/stored-objects.ts';
import { GeneralError, IntegrityError } from '../../../src/errors.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { openRepository } from '../../../src/repository/open-repository.ts';
import { toHex, toUtf8Lossy } from '../../../src/util/bytes.ts';
import { Scratch } from '../scratch.ts';

/** Two archives, of which one was deleted. */
async function prepare(encryption = 'repokey'): Promise<Scratch> {
  const scratch = new Scratch();
  await scratch.init(encryption);
  scratch.write('source/a', 'contents of a');
  await scratch.create('one');
  scratch.write('source/b', 'contents of b');
  await scratch.create('two');
  return scratch;
}

function open(scratch: Scratch, context = scratch.context()) {
  return openRepository(context, scratch.location.path);
}

describe('storedObjects()', () => {
  it('opens all that the index knows, without a manifest', async () => {
    using scratch = await prepare();
    {
      await using repository = await openRepository(scratch.context(), scratch.location.path, {
        exclusive: true,
      });
      await repository.delete(MANIFEST_ID);
      await repository.commit();
    }
    await using repository = await open(scratch);
    const objects = await Array.fromAsync(storedObjects(scratch.context(), repository));
    assert.equal(objects.length, await repository.count());
    const texts = objects.map(({ plaintext }) => toUtf8Lossy(plaintext));
    for (const name of ['a', 'b']) assert.ok(texts.includes(`contents of ${name}`));
  });

  it('throws at an object that the key has not sealed', async () => {
    using scratch = await prepare();
    await using repository = await openRepository(scratch.context(), scratch.location.path, {
      exclusive: true,
    });
    await repository.put(new Uint8Array(32).fill(7), new Uint8Array(100).fill(3));
    await assert.rejects(Array.fromAsync(storedObjects(scratch.context(), repository)), IntegrityError);
  });

  it('says that there is nothing', async () => {
    using scratch = new Scratch();
    await scratch.init('none');
    await using repository = await openRepository(scratch.context(), scratch.location.path, {
      exclusive: true,
    });
    await repository.delete(MANIFEST_ID);
    await assert.rejects(Array.fromAsync(storedObjects(scratch.context(), repository)), GeneralError);
  });
});

describe('loggedObjects()', () => {
  it('gives what was replaced, and goes on behind what is damaged', async () => {
    using scratch = await prepare();
    const whole = await lines(scratch);
    assert.equal(whole.filter((line) => line.endsWith(`put ${toHex(MANIFEST_ID)}`)).length, 3);
    const damagedAt = whole.findIndex((line) => line.startsWith('2/8 put '));
    const path = scratch.join('repository/data/0/2');
    const bytes = readFileSync(path);
    bytes[60]! ^= 1;
    writeFileSync(path, bytes);
    const context = scratch.context();
    assert.deepEqual(
      await lines(scratch, {}, context),
      whole.filter((_, number) => number !== damagedAt),
    );
    assert.equal(context.reporter.logged.length, 1);
    assert.match(
      context.reporter.logged[0]!,
      /^error: Segment 2 \(.*\/repository\/data\/0\/2\) has IntegrityError\(s\) \[Data integrity error: .*\] - skipping\.$/,
    );
  });

  it('gives one segment, or what stands at one offset', async () => {
    using scratch = await prepare('none');
    const whole = await lines(scratch);
    const second = await lines(scratch, { segment: 2 });
    assert.ok(second.length > 1);
    assert.deepEqual(
      second,
      whole.filter((line) => line.startsWith('2/')),
    );
    assert.deepEqual(await lines(scratch, { segment: 2, offset: 8 }), second.slice(0, 1));
    assert.ok((await lines(scratch, { offset: 8 })).every((line) => /^\d+\/8 /.test(line)));
  });
});

async function lines(scratch: Scratch, limits = {}, context = scratch.context()): Promise<string[]> {
  await using repository = await open(scratch, context);
  const lines: string[] = [];
  for await (const { segment, offset, tag, id } of loggedObjects(context, repository, limits)) {
    lines.push(`${segment}/${offset} ${tag}${id === undefined ? '' : ` ${toHex(id)}`}`);
  }
  return lines;
}
