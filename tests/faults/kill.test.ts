import { describe, it } from 'node:test';
import { runAsTest } from './campaign.ts';
import { killCampaign } from './kill-campaign.ts';

describe('a process killed at any moment of any command', () => {
  it('leaves the state before or after, and all of it readable', () => runAsTest(killCampaign));
});
