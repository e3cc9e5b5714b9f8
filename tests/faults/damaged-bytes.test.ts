import { describe, it } from 'node:test';
import { runAsTest } from './campaign.ts';
import { damageCampaign } from './damage-campaign.ts';
import { decodeCampaign } from './decode-campaign.ts';

describe('damage at any byte', () => {
  it('of a file gives right contents or an error that says what is wrong', () => runAsTest(damageCampaign));
  it('of what is decoded gives a value or an error of the decoder', () => runAsTest(decodeCampaign));
});
