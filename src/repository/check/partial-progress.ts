/**
 * How far partial checks have come: `last_segment_checked` in the config, so that the next one goes on from there,
 * whichever program runs it. Source: Borg 1.4.5 repository.py, check.
 */
import type { RepositoryConfig } from '../../format/repository-config.ts';
import type { Store } from '../../store/store.ts';
import type { Reporter } from '../../util/reporter.ts';
import { saveConfig } from '../config-file.ts';

const LAST_CHECKED = 'last_segment_checked';

/** -1 where no partial check is under way. */
export function lastCheckedSegment({ ini }: RepositoryConfig): number {
  const stored = ini.get('repository')?.get(LAST_CHECKED) ?? '';
  return /^\s*[+-]?\d+\s*$/.test(stored) ? Number(stored) : -1;
}

/** Writes the config, if there is something to be changed; undefined: no partial check is under way any more. */
export function rememberLastChecked(
  store: Store,
  config: RepositoryConfig,
  reporter: Reporter,
  segment: number | undefined,
): void {
  const values = config.ini.get('repository')!;
  if (values.get(LAST_CHECKED) === segment?.toString()) return;
  if (segment === undefined) values.delete(LAST_CHECKED);
  else values.set(LAST_CHECKED, String(segment));
  saveConfig(store, config, reporter);
}
