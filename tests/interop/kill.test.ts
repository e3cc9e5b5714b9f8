import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { extractAll, runKillCampaign } from '../faults/kill-campaign.ts';
import { campaignRandom } from '../random.ts';
import { Workspace } from '../workspace.ts';

describe('200 kills of create, delete and compact', () => {
  it('leave a repository that both programs open, and that Borg checks as sound', async () => {
    using space = new Workspace();
    const hits = await runKillCampaign({
      space,
      random: campaignRandom('kill with the reference'),
      kills: 200,
      readers: [space.alcove, space.borg],
      verify: (repository, kill) => {
        const verifyData = kill % 20 === 0 ? ['--verify-data'] : [];
        space.borg(['check', ...verifyData, repository]);
        if (kill % 40 === 0) extractAll(space, repository);
      },
    });
    assert.ok(hits.create > 20 && hits.delete > 10 && hits.compact > 5, JSON.stringify(hits));
  });
});
