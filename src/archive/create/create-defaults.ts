import { fromUtf8 } from '../../util/bytes.ts';
import { PatternMatcher } from '../patterns/pattern-matcher.ts';
import type { CreateArchiveOptions } from './create.ts';

/**
 * What `create` does without any option. To be spread below the options that are wanted; `name` and `source` are always
 * the caller's. Source: Borg 1.4.5, archiver.py, the options of create.
 */
export function createDefaults(): Omit<CreateArchiveOptions, 'name' | 'source'> {
  return {
    cmdline: [],
    filesCacheMode: 'cis',
    filesChanged: 'ctime',
    checkpointIntervalSeconds: 1800,
    permitAdHocCache: false,
    progress: false,
    matcher: new PatternMatcher(),
    oneFileSystem: false,
    excludeCaches: false,
    excludeIfPresent: [],
    keepExcludeTags: false,
    excludeNodump: false,
    stream: { path: fromUtf8('stdin'), mode: 0o660, user: 'root', group: 'root' },
    readSpecial: false,
    sparse: false,
    atime: false,
    noCtime: false,
    noBirthtime: false,
    numericIds: false,
    noFlags: false,
    noAcls: false,
    noXattrs: false,
  };
}
