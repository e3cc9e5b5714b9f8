/** What can be done while a repository is checked, where there are threads for it; a server knows of nothing. */
import type { SegmentReader } from './segments-ahead.ts';

export interface BesideCheck {
  /** Below this much, in all segments, it is not worth it. */
  readonly fromBytes: number;
  /** Who may read the segments. The check ends it. */
  createReader(): SegmentReader;
  /** The reader is at work; objects can be read, as long as nothing wrong is found. */
  begin(): void;
  /** Not all is well. Nothing may be read any more when it resolves. */
  end(): Promise<void>;
}
