/**
 * Reads and verifies every object of the repository.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveChecker.verify_data.
 */
import { ObjectNotFound } from '../../errors.ts';
import { toHex } from '../../util/bytes.ts';
import type { CheckState } from './check-state.ts';
import { damageText, type ObjectSource, type ReadObject } from './object-source.ts';
import { verifyObjects } from './verify-objects.ts';

/**
 * Damaged objects are deleted by a repair, so that the steps behind find them missing, and a later backup of the same
 * data can bring them back.
 */
export async function verifyData(state: CheckState, objects: ObjectSource): Promise<void> {
  state.say('info', 'Starting cryptographic data integrity verification...');
  const indexCount = state.chunks.size;
  let storedCount = 0;
  let errors = 0;
  const defect: Uint8Array[] = [];
  const { reporter, signal } = state.ctx;
  const progress = reporter.percent('check.verify_data', 'Verifying data %6.2f%%', indexCount);
  for await (const { count, failures } of verifyObjects(state.repository, objects)) {
    signal.throwIfAborted();
    storedCount += count;
    for (let number = 0; number < count; number++) {
      progress.advance();
      const read = failures.get(number);
      if (read === undefined) continue;
      errors += 1;
      state.fail(describe(read));
      if (read.readError instanceof ObjectNotFound) continue;
      defect.push(Uint8Array.from(read.id));
      state.damage.addDamagedChunk(read.id);
    }
  }
  progress.finish();
  if (indexCount !== storedCount) {
    state.say('error', 'Repo/Chunks index object count vs. segment files object count mismatch.');
    state.say('error', `Repo/Chunks index: ${indexCount} objects != segment files: ${storedCount} objects`);
  }
  if (defect.length > 0) await dealWith(state, objects, defect);
  state.say(
    errors > 0 ? 'error' : 'info',
    `Finished cryptographic data integrity verification, verified ${storedCount} chunks with ${errors} integrity errors.`,
  );
}

async function dealWith(
  state: CheckState,
  objects: ObjectSource,
  defect: readonly Uint8Array[],
): Promise<void> {
  if (!state.mends) {
    state.say(
      'warning',
      'Found defect chunks. With --repair, they would get deleted, so affected files could get repaired then and maybe healed later.',
    );
    for (const id of defect) state.say('debug', `chunk ${toHex(id)} is defect.`);
    return;
  }
  state.say(
    'warning',
    'Found defect chunks. They will be deleted now, so affected files can get repaired now and maybe healed later.',
  );
  for (const id of defect) {
    // The error may have been one of the network, the memory or the bus, and not come again.
    const again = await objects.read(id);
    if (again.plaintext === undefined) {
      await state.remove(id);
      state.log.deleted(id);
      state.say('debug', `chunk ${toHex(id)} deleted.`);
    } else {
      state.damage.removeDamagedChunk(id);
      state.say('warning', `chunk ${toHex(id)} not deleted, did not consistently fail.`);
    }
  }
}

function describe({ id, readError, openError }: ReadObject): string {
  if (readError !== undefined) return `chunk ${toHex(id)}: ${readError.message}`;
  return `chunk ${toHex(id)}, integrity error: ${damageText(openError)}`;
}
