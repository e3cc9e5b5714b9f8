/** A campaign tries many faults of a kind: it draws its cases from a seed, and each can be tried again alone. */
import { inspect } from 'node:util';
import { usualSeed, type Random } from '../random.ts';

export interface Campaign {
  readonly name: string;
  /** For the table in docs/RELIABILITY.md. */
  readonly title: string;
  /** How many cases of it fit into a usual run of the tests. */
  readonly usualCases: number;
  run(options: CampaignOptions): Promise<CampaignResult>;
}

export interface CampaignOptions {
  readonly seed: number;
  readonly cases: number;
  /** Try this one only. */
  readonly caseId?: string | undefined;
}

export interface CampaignResult {
  readonly name: string;
  readonly seed: number;
  /** How many were tried, by what they are about. */
  readonly tried: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly caseId: string;
  readonly error: unknown;
}

/** Collects what comes of the cases. */
export class Tally {
  readonly #name: string;
  readonly #seed: number;
  readonly #tried: Record<string, number> = {};
  readonly #failures: Failure[] = [];

  constructor(name: string, seed: number) {
    this.#name = name;
    this.#seed = seed;
  }

  async try(caseId: string, about: string, work: () => Promise<void>): Promise<void> {
    this.#tried[about] = (this.#tried[about] ?? 0) + 1;
    try {
      await work();
    } catch (error) {
      this.#failures.push({ caseId, error });
    }
  }

  get result(): CampaignResult {
    return { name: this.#name, seed: this.#seed, tried: this.#tried, failures: this.#failures };
  }
}

/** So many of them, none twice; all where there are no more. */
export function sample<T>(items: readonly T[], count: number, random: Random): T[] {
  const rest = [...items];
  for (let i = 0; i < Math.min(count, rest.length); i++) {
    const other = i + random.integer(rest.length - i);
    [rest[i], rest[other]] = [rest[other]!, rest[i]!];
  }
  return rest.slice(0, count);
}

export function totalOf({ tried }: CampaignResult): number {
  return Object.values(tried).reduce((sum, count) => sum + count, 0);
}

/** The result in words, with the commands that try again what failed. */
export function describeResult(result: CampaignResult): string {
  const { name, seed, tried, failures } = result;
  const counts = Object.entries(tried).map(([about, count]) => `  ${about}: ${count}`);
  const lines = failures.map(
    ({ caseId, error }) =>
      `FAILED npm run faults -- --seed ${seed} --only ${name} --case '${caseId}'\n${inspect(error)}`,
  );
  return [
    `${name}: seed ${seed}, ${totalOf(result)} cases, ${failures.length} failed`,
    ...counts,
    ...lines,
  ].join('\n');
}

/** Runs a campaign as a test: at its usual size, or as ALCOVE_FAULT_CASES says, from ALCOVE_SEED or the usual seed. */
export async function runAsTest(campaign: Campaign): Promise<void> {
  const seed = usualSeed();
  const cases = Number(process.env['ALCOVE_FAULT_CASES'] ?? campaign.usualCases);
  const result = await campaign.run({ seed, cases });
  console.log(describeResult(result));
  if (result.failures.length > 0) throw new Error(describeResult(result));
}
