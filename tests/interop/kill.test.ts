import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { noHits, runKills } from '../faults/kill-campaign.ts';
import { campaignRandom } from '../random.ts';
import { Workspace } from '../workspace.ts';

describe('200 kills of all commands that change a repository', () => {
  it('leave a repository that both programs open, and that Borg checks as sound', async () => {
    using space = new Workspace();
    const hits = noHits();
    await runKills(
      {
        space,
        random: campaignRandom('kill with the reference'),
        kills: 200,
        readers: [space.alcove, space.borg],
        verify: (repository, kill) => {
          const verifyData = kill % 20 === 0 ? ['--verify-data'] : [];
          space.borg(['check', ...verifyData, repository]);
        },
      },
      hits,
    );
    assert.ok(hits.create > 15 && Object.values(hits).every((count) => count > 0), JSON.stringify(hits));
  });
});
