import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { main } from '../../src/cli/main.ts';
import { fakeIo, type FakeIo, type FakeOptions } from './fake-io.ts';

const scratch = mkdtempSync(join(tmpdir(), 'alcove-check-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const env = {
  BORG_BASE_DIR: join(scratch, 'home'),
  TZ: 'UTC',
  BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES',
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
};
const sound = join(scratch, 'sound');
const repository = join(scratch, 'repository');
const segment = join(repository, 'data/0/2');

async function run(argv: string[], options: FakeOptions = {}): Promise<FakeIo & { code: number }> {
  const io = fakeIo(argv, { cwd: scratch, env, ...options });
  return Object.assign(io, { code: await main(io) });
}

/** A copy of the sound repository. */
function restore(): void {
  rmSync(repository, { recursive: true, force: true });
  cpSync(sound, repository, { recursive: true });
}

before(async () => {
  mkdirSync(join(scratch, 'tree'));
  for (const name of ['one', 'two', 'three']) writeFileSync(join(scratch, 'tree', name), name.repeat(1000));
  await run(['init', '-e', 'none', sound]);
  await run(['create', '-C', 'none', `${sound}::archive`, 'tree']);
});

describe('check', () => {
  it('--list-quarantine shows what repairs have replaced, until --drop-quarantine removes it', async () => {
    restore();
    const bytes = readFileSync(segment);
    bytes[60]! ^= 1;
    writeFileSync(segment, bytes);
    assert.equal((await run(['check', '--repository-only', repository])).code, 1);
    assert.equal((await run(['check', '--list-quarantine', repository])).stdout.text, '');
    assert.equal((await run(['check', '--repository-only', '--repair', repository])).code, 0);
    const listed = await run(['check', '--list-quarantine', repository]);
    assert.match(
      listed.stdout.text,
      /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ {2}\d.* k?B\n {2}quarantine\/\S+\/README {2}/,
    );
    assert.match(listed.stdout.text, /^ {2}quarantine\/\S+\/segment\.2 {2}/m);
    const dropped = await run(['check', '--drop-quarantine', repository]);
    assert.deepEqual([dropped.code, dropped.stdout.text], [0, listed.stdout.text]);
    assert.ok(!existsSync(join(repository, 'quarantine')));
    assert.equal((await run(['check', '--repository-only', repository])).code, 0);
  });

  it('--bad-ranges has parts of a segment count as unreadable, whatever they hold', async () => {
    restore();
    const size = readFileSync(segment).length;
    const files = {
      map: `# Mapfile\n0 + 1\n0 0x40 +\n0x40 8 -\n0x48 ${size - 0x48} +\n`,
      broken: '0 + 1\n0 0x40 x\n',
    };
    const argv = ['check', '--repository-only', '--bad-ranges', '2=map', repository];
    const { code, stderr } = await run(argv, { files });
    assert.equal(code, 1);
    assert.match(stderr.text, /Segment data unreadable \[segment 2, offset 64\]: 8 bytes/);
    for (const [value, message] of [
      ['map', /a segment's number, = and a file are required: map/],
      ['2=broken', /broken: line 2: unknown status "x"/],
      ['2=none', /No such file or directory: 'none'/],
    ] as const) {
      const wrong = await run(['check', '--bad-ranges', value, repository], { files });
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr.text, message);
    }
  });
});
