import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { initRepository } from '../../src/archive/init-repository.ts';
import { Manifest } from '../../src/archive/manifest.ts';
import { MandatoryFeatureUnsupported, NoManifestError, TAMRequiredError } from '../../src/errors.ts';
import { createCompressor } from '../../src/compress/compressor.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { MANIFEST_ID } from '../../src/repository/repository.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';
import { Scratch } from './scratch.ts';

const entry = { id: new Uint8Array(32).fill(1), time: '2024-01-01T00:00:00.000000' };

describe('Manifest', () => {
  it('load() gives what write() was given', async () => {
    using scratch = new Scratch();
    await scratch.init();
    await using session = await scratch.open();
    session.manifest.archives.set('näme', entry);
    await session.manifest.write();
    const { ctx, repository, key, manifest } = session;
    const again = await Manifest.load(ctx, repository, ['read'], { key });
    assert.deepEqual([...again.archives], [['näme', entry]]);
    assert.equal(again.timestamp, manifest.timestamp);
    assert.equal(again.idHex, manifest.idHex);
    assert.equal(again.tamVerified, true);
    assert.equal(again.config.get('tam_required'), true);
  });

  it('write() gives every manifest a later timestamp, even if the clock stands still', async () => {
    using scratch = new Scratch();
    const ctx = { ...scratch.context(), nowNs: () => 1_700_000_000_000_000_000n };
    await using session = await initRepository(ctx, scratch.location, { encryption: 'repokey' });
    const timestamps = [session.manifest.timestamp];
    for (let i = 0; i < 3; i++) {
      await session.manifest.write();
      timestamps.push(session.manifest.timestamp);
    }
    assert.deepEqual(timestamps, [
      '2023-11-14T22:13:20.000000',
      '2023-11-14T22:13:20.000001',
      '2023-11-14T22:13:20.000002',
      '2023-11-14T22:13:20.000003',
    ]);
  });

  it('load() refuses a repository that demands an unknown feature for what is to be done', async () => {
    using scratch = new Scratch();
    await scratch.init();
    await using session = await scratch.open();
    const mandatory = new Map([['mandatory', [fromUtf8('teleport')]]]);
    session.manifest.config.set('feature_flags', new Map([['write', mandatory]]));
    await session.manifest.write();
    const { ctx, repository, key } = session;
    const again = await Manifest.load(ctx, repository, ['read', 'delete'], { key });
    assert.deepEqual([...again.mandatoryFeatures()], ['teleport']);
    await assert.rejects(Manifest.load(ctx, repository, ['read', 'write'], { key }), (error) => {
      assert.ok(error instanceof MandatoryFeatureUnsupported);
      assert.match(error.message, /^Unsupported repository feature\(s\) \['teleport'\]\. /);
      return true;
    });
  });

  it('load() refuses a manifest without authentication where one is required', async () => {
    using scratch = new Scratch();
    await scratch.init();
    await using session = await scratch.open();
    const { ctx, repository, key } = session;
    const bare = { archives: {}, config: {}, timestamp: '2024-01-01T00:00:00.000000', version: 1 };
    const sealed = await key.seal(createCompressor({ name: 'none' }).compress(encode(bare)));
    await repository.put(MANIFEST_ID, sealed);
    await assert.rejects(Manifest.load(ctx, repository, [], { key }), TAMRequiredError);
    const forced = await Manifest.load(ctx, repository, [], { key, forceTamNotRequired: true });
    assert.equal(forced.tamVerified, false);
  });

  it('load() says where there is no manifest', async () => {
    using scratch = new Scratch();
    await scratch.init();
    await using session = await scratch.open();
    await session.repository.delete(MANIFEST_ID);
    await assert.rejects(Manifest.load(session.ctx, session.repository, []), NoManifestError);
  });
});
