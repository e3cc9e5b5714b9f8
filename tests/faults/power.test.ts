import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAsTest } from './campaign.ts';
import { powerCampaign, run } from './power-campaign.ts';

describe('a power failure at any moment of any command', () => {
  it('leaves what was committed', () => runAsTest(powerCampaign));

  it('is noticed to have done harm where a disk does not sync', async () => {
    const { failures } = await run({ seed: 1, cases: 100 }, (kind) => kind.startsWith('sync'));
    assert.ok(failures.length > 0);
  });
});
