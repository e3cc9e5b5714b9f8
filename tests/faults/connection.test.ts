import { it } from 'node:test';
import { runAsTest } from './campaign.ts';
import { connectionCampaign, OWN_PAIR } from './connection-campaign.ts';

it('a connection that breaks anywhere costs no more than the command that was under way', () =>
  runAsTest(connectionCampaign([OWN_PAIR], 3)));
