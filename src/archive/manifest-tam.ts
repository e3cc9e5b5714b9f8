/**
 * Whether a repository's manifest must be authenticated (see keys/tam.ts): it says so itself, the key says so, and each
 * client remembers it.
 *
 * Source: Borg 1.4.5, archiver.py, do_upgrade (--tam, --check-tam, --disable-tam).
 */
import { saveTamRequired } from '../keys/change-passphrase.ts';
import { isTamRequired, setTamRequired } from '../keys/tam-required.ts';
import type { Session } from './session.ts';

/** Who does not demand authentication. */
export interface ManifestTamIssues {
  readonly manifest: boolean;
  readonly key: boolean;
  readonly client: boolean;
}

/** What was changed. */
export interface ManifestTamChanges {
  readonly manifest: boolean;
  /** Where the key is, if it was changed. */
  readonly keyLocation: string | undefined;
  readonly client: boolean;
}

export function manifestTamIssues({ ctx, key, manifest, repository }: Session): ManifestTamIssues {
  return {
    manifest: !manifest.tamVerified || manifest.config.get('tam_required') !== true,
    key: !key.tamRequired && key.type.storage !== 'none',
    client: !isTamRequired(ctx, repository.idHex),
  };
}

/** Demands authentication from now on. The manifest that was loaded is taken for authentic. */
export async function requireManifestTam(session: Session): Promise<ManifestTamChanges> {
  const { ctx, key, manifest, repository } = session;
  const issues = manifestTamIssues(session);
  if (issues.manifest) {
    manifest.config.set('tam_required', true);
    await manifest.write();
    await repository.commit({ compact: false });
  }
  const keyLocation = issues.key ? await saveTamRequired(ctx, repository, key, true) : undefined;
  if (issues.client) setTamRequired(ctx, repository.idHex, true);
  return { manifest: issues.manifest, keyLocation, client: issues.client };
}

/** Demands no authentication from now on. */
export async function dropManifestTam(session: Session): Promise<ManifestTamChanges> {
  const { ctx, key, manifest, repository } = session;
  const client = isTamRequired(ctx, repository.idHex);
  if (client) setTamRequired(ctx, repository.idHex, false);
  const keyLocation = key.tamRequired ? await saveTamRequired(ctx, repository, key, false) : undefined;
  key.tamRequired = false;
  manifest.config.set('tam_required', false);
  await manifest.write();
  await repository.commit({ compact: false });
  return { manifest: true, keyLocation, client };
}
