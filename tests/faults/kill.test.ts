import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { campaignRandom } from '../random.ts';
import { Workspace } from '../workspace.ts';
import { extractAll, runKillCampaign } from './kill-campaign.ts';

describe('a process killed while it creates, deletes or compacts', () => {
  it('leaves the state before or after, and all of it readable', async () => {
    using space = new Workspace();
    const hits = await runKillCampaign({
      space,
      random: campaignRandom('kill'),
      kills: 40,
      readers: [space.alcove],
      verify: (repository, kill) => {
        if (kill % 10 === 0) extractAll(space, repository);
      },
    });
    assert.ok(hits.create > 0 && hits.delete > 0, JSON.stringify(hits));
  });
});
