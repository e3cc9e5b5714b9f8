import { it } from 'node:test';
import { runAsTest } from './campaign.ts';
import { serverCampaign } from './server-campaign.ts';

it('a client that sends anything ends no more than its own connection', () => runAsTest(serverCampaign));
