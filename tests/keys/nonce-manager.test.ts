import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from '../properties.ts';
import { assertRaised, type LocalNonce } from '../../src/keys/local-nonce.ts';
import {
  NONCE_ROLLBACK_MSGID,
  NONCE_SPACE_RESERVATION,
  NonceManager,
  type NonceRepository,
} from '../../src/keys/nonce-manager.ts';
import { fakeContext, FakeRepository, type FakeContext } from './fakes.ts';

class MemoryNonce implements LocalNonce {
  value: bigint | undefined;
  constructor(value?: bigint) {
    this.value = value;
  }
  read(): bigint | undefined {
    return this.value;
  }
  async commit(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void> {
    await Promise.resolve();
    assertRaised(this.value, nextUnreserved, startNonce);
    this.value = nextUnreserved;
  }
}

interface Setup {
  local?: bigint;
  free?: bigint;
  manifestNonce?: bigint;
}

function setup({ local, free, manifestNonce = 0x2000n }: Setup) {
  const ctx = fakeContext();
  const repository = new FakeRepository();
  repository.freeNonce = free;
  const mark = new MemoryNonce(local);
  const open = () => managerOf(ctx, repository, mark, manifestNonce, 0x20n);
  return { ctx, repository, mark, open };
}

function managerOf(
  ctx: FakeContext,
  repository: NonceRepository,
  local: LocalNonce,
  manifestNonce: bigint,
  reservationBlocks: bigint,
): NonceManager {
  return new NonceManager(ctx, repository, local, { manifestNonce, reservationBlocks });
}

const warnings = (ctx: FakeContext) => ctx.reporter.lines.filter((line) => line.level === 'warning');

describe('NonceManager.lease()', () => {
  it('reserves as Borg does, at once and when the reservation is used up', async () => {
    const { repository, mark, open } = setup({});
    const manager = open();
    // What Borg 1.4.5 answers to the same requests with a reservation of 0x20.
    const steps: [number, bigint, bigint][] = [
      [19, 0x2000n, 0x2033n],
      [13, 0x2013n, 0x2033n],
      [19, 0x2020n, 0x2033n],
      [16, 0x2033n, 0x2063n],
      [64, 0x2063n, 0x20c3n],
    ];
    for (const [blocks, expected, marked] of steps) {
      assert.equal(await manager.lease(blocks), expected);
      assert.equal(mark.value, marked);
      assert.equal(repository.freeNonce, marked);
    }
  });

  it('starts behind the highest of all marks', async () => {
    const cases: [Setup, bigint][] = [
      [{ local: 0x2000n, free: 0x2000n }, 0x2000n],
      [{ local: 0x2000n }, 0x2000n],
      [{ free: 0x3000n }, 0x3000n],
      [{ local: 0x2000n, free: 0x3000n }, 0x3000n],
      [{ local: 0x3000n, free: 0x2000n }, 0x3000n],
      [{ local: 0x1000n, free: 0x1000n, manifestNonce: 0x4000n }, 0x4000n],
    ];
    for (const [state, expected] of cases) {
      const { repository, mark, open } = setup(state);
      assert.equal(await open().lease(1), expected);
      assert.equal(mark.value, expected + 0x21n);
      assert.equal(repository.freeNonce, mark.value);
    }
  });

  it('reserves 2^28 blocks by default', async () => {
    const repository = new FakeRepository();
    const manager = new NonceManager(fakeContext(), repository, new MemoryNonce(), { manifestNonce: 7n });
    assert.equal(await manager.lease(3), 7n);
    assert.equal(repository.freeNonce, 10n + NONCE_SPACE_RESERVATION);
  });

  it('says once that the repository is behind, and raises it', async () => {
    const cases: Setup[] = [
      { local: 0x3000n, free: 0x2fffn },
      { local: 0x3000n },
      { free: 0x1fffn, manifestNonce: 0x2000n },
    ];
    for (const state of cases) {
      const { ctx, repository, open } = setup(state);
      const manager = open();
      await manager.lease(1);
      await manager.lease(100);
      assert.equal(warnings(ctx).length, 1);
      assert.equal(warnings(ctx)[0]!.msgid, NONCE_ROLLBACK_MSGID);
      assert.match(warnings(ctx)[0]!.message, /restored from a snapshot .* No nonce is used twice/);
      assert.ok(repository.freeNonce! > 0x3000n || state.local === undefined);
      await open().lease(1);
      assert.equal(warnings(ctx).length, 1, 'the repository was raised, nothing is left to warn of');
    }
  });

  it('says nothing where the repository is level or ahead', async () => {
    for (const state of [
      {},
      { free: 0x2000n },
      { local: 0x3000n, free: 0x3000n },
      { local: 0x3000n, free: 0x4000n },
    ]) {
      const { ctx, open } = setup(state);
      await open().lease(1);
      assert.deepEqual(warnings(ctx), []);
    }
  });

  it('keeps to the own mark with a server that knows no nonces', async () => {
    for (const known of [true, false]) {
      const { ctx, repository, mark, open } = setup({ local: 0x5000n });
      repository.supportsNonces = known;
      repository.hasNonceMethods = false;
      const manager = open();
      assert.equal(await manager.lease(19), 0x5000n);
      assert.equal(await manager.lease(64), 0x5033n);
      assert.equal(mark.value, 0x5093n);
      assert.equal(warnings(ctx).length, 1);
      assert.match(warnings(ctx)[0]!.message, /^Please upgrade to borg version 1\.1\+ on the server/);
    }
  });

  it('gives ranges that do not overlap to callers that ask at the same time', async () => {
    const manager = setup({}).open();
    const sizes = [5, 1, 100, 7, 32, 0, 64];
    const firsts = await Promise.all(sizes.map((blocks) => manager.lease(blocks)));
    assertDisjoint(firsts.map((first, i) => [first, first + BigInt(sizes[i]!)]));
  });

  it('fails where another client took a reservation in between, and grants nothing', async () => {
    const { repository, mark, open } = setup({ free: 0x2000n });
    const read = repository.getFreeNonce.bind(repository);
    repository.getFreeNonce = async () => {
      const value = await read();
      repository.freeNonce = 0x9000n;
      return value;
    };
    await assert.rejects(open().lease(1), /mismatched previous state/);
    assert.equal(mark.value, undefined);
  });

  it('fails where the own mark changed in between, and grants nothing', async () => {
    const { repository, mark, open } = setup({ free: 0x2000n, local: 0x2000n });
    const commit = repository.commitNonceReservation.bind(repository);
    repository.commitNonceReservation = async (next, start) => {
      mark.value = 0x9000n;
      await commit(next, start);
    };
    await assert.rejects(open().lease(1), {
      message: 'Error: nonce space reservation with mismatched previous state',
    });
    assert.equal(mark.value, 0x9000n);
  });

  it('goes on behind its own reservation where both marks get lost meanwhile', async () => {
    const { repository, mark, open } = setup({});
    const manager = open();
    assert.equal(await manager.lease(1), 0x2000n);
    repository.freeNonce = undefined;
    mark.value = undefined;
    assert.equal(await manager.lease(0x100), 0x2021n);
    assert.equal(mark.value, 0x2141n);
  });

  it('stops before the counter runs over', async () => {
    const { mark, open } = setup({ local: 2n ** 64n - 0x30n, free: 2n ** 64n - 0x30n });
    await assert.rejects(open().lease(0x10), /used up/);
    assert.equal(mark.value, 2n ** 64n - 0x30n);
  });

  it('rejects counts that are none', async () => {
    for (const blocks of [-1, 0.5, NaN, 2 ** 53]) {
      await assert.rejects(setup({}).open().lease(blocks), RangeError);
    }
  });
});

type Step =
  | { kind: 'lease'; blocks: number; client: number }
  | { kind: 'together'; sizes: number[]; client: number }
  | { kind: 'restart'; client: number; manifestNonce: bigint }
  | { kind: 'roll back'; to: bigint | undefined }
  | {
      kind: 'crash';
      client: number;
      at: 'repository before' | 'repository after' | 'local before' | 'local after';
    };

const client = fc.nat(2);
const steps = (hostile: boolean) =>
  fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('lease' as const), blocks: fc.nat(40), client }),
      fc.record({
        kind: fc.constant('together' as const),
        sizes: fc.array(fc.nat(40), { maxLength: 5 }),
        client,
      }),
      fc.record({
        kind: fc.constant('restart' as const),
        client,
        manifestNonce: fc.bigInt(0n, hostile ? 500n : 0n),
      }),
      fc.record({
        kind: fc.constant('crash' as const),
        client,
        at: fc.constantFrom('repository before', 'repository after', 'local before', 'local after'),
      }),
      ...(hostile
        ? [
            fc.record({
              kind: fc.constant('roll back' as const),
              to: fc.option(fc.bigInt(0n, 1000n), { nil: undefined }),
            }),
          ]
        : []),
    ),
    { maxLength: 30 },
  ) as fc.Arbitrary<Step[]>;

/** Runs the steps; gives all ranges that were ever granted. */
async function run(all: Step[], clients: number): Promise<[bigint, bigint][]> {
  const ctx = fakeContext();
  const repository = new FakeRepository();
  const marks = Array.from({ length: clients }, () => new MemoryNonce());
  const managers = marks.map((mark) => managerOf(ctx, repository, mark, 0n, 16n));
  const granted: [bigint, bigint][] = [];
  const lease = async (manager: NonceManager, blocks: number) => {
    const first = await manager.lease(blocks);
    granted.push([first, first + BigInt(blocks)]);
  };
  for (const step of all) {
    if (step.kind === 'roll back') {
      repository.freeNonce = step.to;
      continue;
    }
    const at = step.client % clients;
    const mark = marks[at]!;
    if (step.kind === 'lease') await lease(managers[at]!, step.blocks);
    else if (step.kind === 'together')
      await Promise.all(step.sizes.map((size) => lease(managers[at]!, size)));
    else if (step.kind === 'restart')
      managers[at] = managerOf(ctx, repository, mark, step.manifestNonce, 16n);
    else {
      // The process dies during its first reservation; the next one takes its place.
      const dying = managerOf(ctx, dyingRepository(repository, step.at), dyingMark(mark, step.at), 0n, 16n);
      await assert.rejects(lease(dying, 10), /died/);
      managers[at] = managerOf(ctx, repository, mark, 0n, 16n);
    }
  }
  return granted;
}

function dyingRepository(repository: FakeRepository, at: string): NonceRepository {
  return {
    location: repository.location,
    supportsNonces: true,
    getFreeNonce: () => repository.getFreeNonce(),
    async commitNonceReservation(next, start) {
      if (at === 'repository before') throw new Error('died');
      await repository.commitNonceReservation(next, start);
      if (at === 'repository after') throw new Error('died');
    },
  };
}

function dyingMark(mark: MemoryNonce, at: string): LocalNonce {
  return {
    read: () => mark.read(),
    async commit(next, start) {
      if (at === 'local before') throw new Error('died');
      await mark.commit(next, start);
      throw new Error('died');
    },
  };
}

function assertDisjoint(ranges: [bigint, bigint][]): void {
  const used = ranges.filter(([first, end]) => end > first).toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
  for (let i = 1; i < used.length; i++) {
    assert.ok(used[i]![0] >= used[i - 1]![1], `${used[i - 1]!.join('-')} overlaps ${used[i]!.join('-')}`);
  }
}

describe('the nonces of one key', () => {
  it('never repeat at one client, whatever the repository says and wherever the client dies', async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), async (all) => assertDisjoint(await run(all, 1))),
      {
        numRuns: 500,
      },
    );
  });

  it('never repeat among several clients of an honest repository', async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), async (all) => assertDisjoint(await run(all, 3))),
      {
        numRuns: 500,
      },
    );
  });
});
