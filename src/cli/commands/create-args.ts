/** What `create` and `backup` share. */
import type { ChunkerParams } from '../../chunker/chunker-params.ts';
import type { CompressionSpec } from '../../compress/compression-spec.ts';
import type { CommonArgs } from '../options/common.ts';
import type { ExclusionArgs } from '../options/exclusion.ts';
import type { ThreadsArgs } from '../options/threads.ts';

export interface SourceArgs extends CommonArgs, ExclusionArgs, ThreadsArgs {
  readonly dryRun: boolean;
  readonly outputList: boolean;
  readonly outputFilter: string | undefined;
  readonly json: boolean;
  readonly paths: readonly string[];
  readonly excludeCaches: boolean;
  readonly excludeIfPresent: readonly string[];
  readonly keepExcludeTags: boolean;
  readonly excludeNodump: boolean;
  readonly oneFileSystem: boolean;
  readonly numericIds: boolean;
  readonly atime: boolean;
  readonly noctime: boolean;
  readonly nobirthtime: boolean;
  readonly noFlags: boolean;
  readonly noAcls: boolean;
  readonly noXattrs: boolean;
  readonly sparse: boolean;
  /** Letters in alphabetic order: c, d, i, m, r, s. */
  readonly filesCacheMode: string;
  readonly filesCacheVerify: number | undefined;
  readonly filesChanged: 'ctime' | 'mtime' | 'disabled';
  readonly readSpecial: boolean;
  readonly comment: string;
  readonly timestampNs: bigint | undefined;
  readonly checkpointInterval: number;
  readonly chunkerParams: ChunkerParams | undefined;
  readonly compression: CompressionSpec | undefined;
}
