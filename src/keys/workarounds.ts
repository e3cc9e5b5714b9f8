/** Source: Borg 1.4.5, helpers/__init__.py, workarounds. */
import type { Environment } from '../util/context.ts';

export type Workaround = 'ignore_invalid_archive_tam' | 'authenticated_no_key';

/** Whether BORG_WORKAROUNDS, a list with commas, names it. */
export function hasWorkaround(env: Environment, name: Workaround): boolean {
  return (env.BORG_WORKAROUNDS ?? '').split(',').includes(name);
}
