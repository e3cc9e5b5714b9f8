/** What can be done while a repository is checked, where there are threads for it; a server knows of nothing. */
import type { SegmentReader } from './segments-ahead.ts';

export interface BesideCheck {
  /** Below this much, in all segments, it is not worth it. */
  readonly fromBytes: number;
  /** Objects can be read from now on, while the check goes on, and has found nothing wrong so far. */
  begin(): void;
  /** Reads the segments meanwhile. The check ends it. */
  createReader(): SegmentReader;
  /** Not all is well. Nothing may be read any more when it resolves. */
  end(): Promise<void>;
}
