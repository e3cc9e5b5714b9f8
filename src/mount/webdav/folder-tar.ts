/** A directory of an archive as a tar: what export-tar writes of it, with the directory itself as the first part of paths. */
import { Archive, type ArchiveSource } from '../../archive/archive.ts';
import { stripPath } from '../../archive/extract/extracted-links.ts';
import type { PatternMatcher } from '../../archive/patterns/pattern-matcher.ts';
import { exportTar } from '../../archive/tar/export-tar.ts';
import type { Write } from '../../platform/http-server.ts';
import { concatBytes, equalBytes } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import type { ArchivePlace } from './served-tree.ts';

export interface FolderTarOptions {
  /** What of an archive is served. */
  readonly matcher: PatternMatcher;
  readonly stripComponents: number;
  readonly considerPartFiles: boolean;
  /** For each export; default: 2. */
  readonly threads?: number | undefined;
}

/** Times in ns, extended attributes and ACLs, in a form that GNU tar and others read. */
const FORMAT = 'PAX';
const DEFAULT_THREADS = 2;
const MAX_EXPORTS = 2;
const SLASH = 0x2f;

export class FolderTars {
  readonly #ctx: Context;
  readonly #source: ArchiveSource;
  readonly #options: FolderTarOptions;
  #running = 0;

  constructor(ctx: Context, source: ArchiveSource, options: FolderTarOptions) {
    this.#ctx = ctx;
    this.#source = source;
    this.#options = options;
  }

  /** As many as may be are being made already. */
  get isBusy(): boolean {
    return this.#running >= MAX_EXPORTS;
  }

  /** @throws what exportTar throws; what is written by then is no whole tar */
  async write({ archive, path }: ArchivePlace, write: Write, signal: AbortSignal): Promise<void> {
    const { matcher, stripComponents, considerPartFiles } = this.#options;
    const folder = concatBytes(
      path.flatMap((name, index) => (index === 0 ? [name] : [Uint8Array.of(SLASH), name])),
    );
    const ctx = { ...this.#ctx, signal: AbortSignal.any([this.#ctx.signal, signal]) };
    this.#running += 1;
    try {
      await exportTar(ctx, await Archive.open(this.#source, archive.name, { considerPartFiles }), {
        file: { write },
        format: FORMAT,
        matcher: {
          empty: matcher.empty && path.length === 0,
          match: (itemPath) =>
            isAtOrBelow(stripPath(itemPath, stripComponents), folder) && matcher.match(itemPath),
          unmatchedIncludePatterns: () => [],
        },
        stripComponents: stripComponents + Math.max(0, path.length - 1),
        threads: this.#options.threads ?? DEFAULT_THREADS,
      });
    } finally {
      this.#running -= 1;
    }
  }
}

function isAtOrBelow(path: Uint8Array, folder: Uint8Array): boolean {
  if (folder.length === 0) return true;
  if (path.length > folder.length && path[folder.length] !== SLASH) return false;
  return equalBytes(path.subarray(0, folder.length), folder);
}
