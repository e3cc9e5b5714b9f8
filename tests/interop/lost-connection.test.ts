import { it } from 'node:test';
import { runAsTest } from '../faults/campaign.ts';
import { ALL_PAIRS, connectionCampaign } from '../faults/connection-campaign.ts';

it('a connection that breaks anywhere costs no more than the command, with Borg at either end', () =>
  runAsTest(connectionCampaign(ALL_PAIRS, 9)));
