/** The commands that the kill campaign runs, what each starts from, and what it may leave. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noise } from '../noise.ts';
import type { Random } from '../random.ts';
import { sample } from './campaign.ts';
import type { RollbackTarget } from './rollback-targets.ts';

export const STEP_KINDS = [
  'create',
  'delete',
  'prune',
  'compact',
  'recreate',
  'check --repair',
  'upgrade',
  'key change-passphrase',
  'rollback',
] as const;

export type StepKind = (typeof STEP_KINDS)[number];

/** How often each is drawn. */
const SHARES: Readonly<Record<StepKind, number>> = {
  create: 34,
  delete: 12,
  prune: 11,
  compact: 14,
  recreate: 12,
  'check --repair': 7,
  upgrade: 8,
  'key change-passphrase': 8,
  rollback: 12,
};

export interface Step {
  readonly kind: StepKind;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Archives in the order of their times. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export function buildTree(tree: string, random: Random): void {
  mkdirSync(tree, { recursive: true });
  for (let i = 0; i < 40; i++) writeFileSync(join(tree, `small-${i}`), noise(2_000, i + 1));
  writeFileSync(join(tree, 'large'), noise(3 << 20, random.integer(2 ** 31)));
}

export interface StepScene {
  readonly repository: string;
  readonly tree: string;
  readonly before: readonly string[];
  readonly attempt: number;
  readonly random: Random;
  /** Where a rollback may go. */
  readonly targets: () => readonly RollbackTarget[];
}

/** Each archive its own second, though many are made in one: `prune` keeps one of those that share a second. */
export function timestampOf(attempt: number): readonly string[] {
  const time = new Date(Date.UTC(2026, 0, 2) + attempt * 1000);
  return ['--timestamp', time.toISOString().slice(0, 'YYYY-MM-DDThh:mm:ss'.length)];
}

/** Draws the next step; a new archive's tree is changed for it. */
export function nextStep({ repository, tree, before, attempt, random, targets }: StepScene): Step {
  const kind = drawKind(random);
  const step = (args: string[], after: readonly string[], env: Record<string, string> = {}): Step => {
    return { kind, args, env, before, after };
  };
  const create = (): Step => {
    const name = `archive-${attempt}`;
    const args = ['create', ...timestampOf(attempt), `${repository}::${name}`, tree];
    writeFileSync(join(tree, `changing-${attempt % 5}`), noise(700_000, random.integer(2 ** 31)));
    return { ...step(args, [...before, name]), kind: 'create' };
  };
  switch (before.length < 2 ? 'create' : kind) {
    case 'create':
      return create();
    case 'delete': {
      const name = before[random.integer(before.length)]!;
      const after = before.filter((each) => each !== name);
      return step(['delete', `${repository}::${name}`], after);
    }
    case 'prune':
      return step(['prune', '--keep-last', '2', repository], before.slice(-2));
    case 'compact':
      return step(['compact', '--threshold', '0', repository], before);
    case 'recreate': {
      const changes = [
        ['--recompress=always', '-C', `zlib,${1 + (attempt % 9)}`],
        ['--chunker-params', `fixed,${50_000 + attempt}`],
        ['--comment', `attempt ${attempt}`],
      ];
      return step(['recreate', ...changes[attempt % changes.length]!, repository], before);
    }
    case 'check --repair':
      return step(['check', '--repair', repository], before, { BORG_CHECK_I_KNOW_WHAT_I_AM_DOING: 'YES' });
    case 'upgrade':
      return step(['upgrade', '--tam', repository], before);
    case 'key change-passphrase':
      return step(['key', 'change-passphrase', repository], before, { BORG_NEW_PASSPHRASE: 'workspace' });
    case 'rollback': {
      const [target] = sample(targets(), 1, random);
      // A compaction leaves nothing to go back to.
      if (target === undefined) return create();
      const args = ['rollback', '--to', String(target.transaction), repository];
      return step(args, target.archives, { ALCOVE_ROLLBACK_I_KNOW_WHAT_I_AM_DOING: 'YES' });
    }
  }
}

function drawKind(random: Random): StepKind {
  let draw = random.integer(Object.values(SHARES).reduce((sum, share) => sum + share, 0));
  for (const kind of STEP_KINDS) {
    draw -= SHARES[kind];
    if (draw < 0) return kind;
  }
  return 'create';
}
