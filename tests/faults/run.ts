/**
 * `npm run faults -- [--seed N] [--cases M | --times K] [--only NAME,NAME] [--case ID] [--write]`: tries faults of all
 * kinds, M of each, or K times as many as a run of the tests, and says what came of them. A failure is printed with the
 * command that tries it alone. --write puts the counts into docs/RELIABILITY.md.
 */
import { parseArgs } from 'node:util';
import { describeResult, type Campaign, type CampaignResult } from './campaign.ts';
import { checkCampaign } from './check-campaign.ts';
import { ALL_PAIRS, connectionCampaign, OWN_PAIR } from './connection-campaign.ts';
import { damageCampaign } from './damage-campaign.ts';
import { decodeCampaign } from './decode-campaign.ts';
import { errorsCampaign } from './errors-campaign.ts';
import { killCampaign } from './kill-campaign.ts';
import { powerCampaign } from './power-campaign.ts';
import { serverCampaign } from './server-campaign.ts';
import { writeReliabilityTable } from './reliability-table.ts';

const campaigns: readonly Campaign[] = [
  powerCampaign,
  killCampaign,
  errorsCampaign,
  damageCampaign,
  decodeCampaign,
  serverCampaign,
  connectionCampaign(process.env['ALCOVE_REFERENCE_BORG'] ? ALL_PAIRS : [OWN_PAIR], 12),
  // Compares with the reference, where there is one.
  ...(process.env['ALCOVE_REFERENCE_BORG'] ? [checkCampaign] : []),
];

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cases: { type: 'string' },
    times: { type: 'string', default: '1' },
    only: { type: 'string' },
    case: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const chosen = campaigns.filter(
  ({ name }) => values.only === undefined || values.only.split(',').includes(name),
);
if (chosen.length === 0) {
  console.error(`--only: one of ${campaigns.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const results: [Campaign, CampaignResult][] = [];
for (const campaign of chosen) {
  const cases = Number(values.cases ?? campaign.usualCases * Number(values.times));
  const result = await campaign.run({ seed, cases, caseId: values.case });
  console.log(describeResult(result));
  results.push([campaign, result]);
}
if (values.write) writeReliabilityTable(results);
process.exit(results.some(([, { failures }]) => failures.length > 0) ? 1 : 0);
