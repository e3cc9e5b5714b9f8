import type { ProgramName } from './program-name.ts';

/** The version of this program, replaced when it is bundled. */
declare const ALCOVE_VERSION: string | undefined;

export const VERSION = typeof ALCOVE_VERSION === 'undefined' ? 'development' : ALCOVE_VERSION;

/** The release of Borg whose behaviour this program has. */
export const BORG_VERSION = '1.4.5';

/**
 * Clients of Borg take the second word for the version, and decide by it what they can ask for; so as `borg` the
 * program gives Borg's line, and nothing more.
 */
export function versionText(name: ProgramName): string {
  return name === 'borg' ? `borg ${BORG_VERSION}` : `alcove ${VERSION} (borg ${BORG_VERSION})`;
}
