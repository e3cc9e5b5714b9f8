/**
 * Makes an archive of what is in a tar.
 *
 * Source: Borg 1.4.5, archiver.py, do_import_tar and _import_tar; archive.py, TarfileObjectProcessors.
 */
import { DEFAULT_CHUNKER_PARAMS, type ChunkerParams } from '../../chunker/chunker-params.ts';
import { GeneralError, GeneralWarning } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import { storedBytesOf, type FileSection } from '../../pipeline/file-section.ts';
import { createPipeline } from '../../pipeline/pipeline.ts';
import { defaultThreadCount } from '../../pipeline/thread-count.ts';
import type { Context } from '../../util/context.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import { fileError } from '../backup-error.ts';
import type { ChunksCache } from '../cache/chunks-cache.ts';
import { archiveOrigin } from '../create/archive-origin.ts';
import { ArchiveWriter } from '../create/archive-writer.ts';
import { BackupRun } from '../create/backup-run.ts';
import type { CreatedArchive } from '../create/create.ts';
import { PendingFile, totalSize } from '../create/pending-file.ts';
import type { Session } from '../session.ts';
import { itemOf, statusOf } from './member-item.ts';
import { TarInput } from './tar-input.ts';
import type { TarContents, TarMember } from './tar-member.ts';
import type { TarFile } from './tar-output.ts';
import { tarError, TarReader } from './tar-reader.ts';

export interface ImportTarOptions {
  readonly name: string;
  readonly file: TarFile;
  /** The command that decompresses; none, if not given. */
  readonly filter?: string | undefined;
  /** Go on behind what ends a tar, as where several tars stand one behind the other. */
  readonly ignoreZeros?: boolean | undefined;
  /** The command line, for the archive's metadata. */
  readonly cmdline: readonly string[];
  readonly comment?: string | undefined;
  readonly timestampNs?: bigint | undefined;
  readonly chunkerParams?: ChunkerParams | undefined;
  readonly checkpointIntervalSeconds: number;
  readonly progress: boolean;
  /** Threads that compress and encrypt. Default: one a processor, at most four. */
  readonly threads?: number | undefined;
  /** Runs when the archive is there and the cache still open, for statistics. */
  readonly onCreated?: (archive: CreatedArchive, cache: ChunksCache) => Promise<void>;
}

/** Contents of a pipe up to this size are read ahead, so that several threads can work. */
const MAX_AHEAD_BYTES = 256 * 1024;
/** As many of them at a time. */
const MAX_AHEAD_FILES = 64;

/**
 * What has no place in an archive is left out with a warning.
 *
 * @throws ArchiveAlreadyExists; GeneralError where the tar is damaged, can't be read, or the filter fails: there is no
 *   archive then; and after an interruption, when what was read is in a checkpoint
 */
export async function importTar(session: Session, options: ImportTarOptions): Promise<CreatedArchive> {
  const { ctx, key } = session;
  const startNs = ctx.nowNs();
  await using cache = await session.openCache();
  const chunkerParams = options.chunkerParams ?? DEFAULT_CHUNKER_PARAMS;
  await using input = TarInput.open(ctx, options.file, options.filter);
  const { name, cmdline, comment, timestampNs } = options;
  const origin = archiveOrigin(ctx);
  const writer = new ArchiveWriter(ctx, session, cache, { name, chunkerParams, cmdline, ...origin, startNs });
  await cache.begin();
  const pipeline = createPipeline({
    threads: options.threads ?? defaultThreadCount(),
    material: key.material,
    compression: session.compression,
    chunkerParams,
    chunkSeed: key.chunkSeed,
    leaseNonces: (blocks) => key.leaseNonces(blocks),
  });
  const run = new BackupRun(ctx, cache, writer, pipeline, options);
  await run.complete(() => new TarImport(ctx, run, input, options.ignoreZeros ?? false).run());
  if (options.progress) ctx.reporter.archiveProgressEnd();
  // Borg counts each file of a tar twice, here and in the archive's metadata.
  writer.statistics.files *= 2;
  const saved = await writer.save({ comment, timestampNs });
  const created = { ...saved, name, statistics: writer.statistics };
  await options.onCreated?.(created, cache);
  return created;
}

class TarImport {
  readonly #ctx: Context;
  readonly #run: BackupRun;
  readonly #input: TarInput;
  readonly #reader: TarReader;

  constructor(ctx: Context, run: BackupRun, input: TarInput, ignoreZeros: boolean) {
    this.#ctx = ctx;
    this.#run = run;
    this.#input = input;
    this.#reader = new TarReader(input, ctx.reporter, { ignoreZeros });
  }

  async run(): Promise<void> {
    try {
      await this.#run.drive(this.#members());
    } catch (error) {
      if (error instanceof GeneralError) await this.#input.explainEnd();
      throw error;
    }
    const { hasMore } = await this.#input.finish();
    if (hasMore) {
      const text = 'tar: there is more behind its end, which was left out; --ignore-zeros takes it in';
      this.#ctx.reporter.log('warning', text);
    }
  }

  async *#members(): AsyncGenerator<void> {
    for (;;) {
      const member = await this.#reader.next();
      if (member === undefined) return;
      await this.#add(member);
      yield;
    }
  }

  async #add(member: TarMember): Promise<void> {
    const status = statusOf(member);
    if (status === undefined) {
      const type = `b'${reprByte(member.type)}'`;
      this.#run.warn(new GeneralWarning([`${toDisplayText(member.name)}: Unsupported tarinfo type ${type}`]));
      return this.#run.status('E', member.name);
    }
    const item = itemOf(member);
    if (member.contents !== undefined) return await this.#addFile(item, member.contents, status);
    this.#run.push({ finish: () => this.#run.addItem(item) });
    this.#run.status(status, member.name);
  }

  async #addFile(item: Item, contents: TarContents, status: string): Promise<void> {
    const { path } = item;
    const { offsetBytes, sizeBytes, stretches } = contents;
    const file = new PendingFile({ path, item, firstStatus: status });
    const finish = (): void => {
      this.#run.status(status, path);
      item.chunks = file.chunks;
      item.size = totalSize(file.chunks);
      this.#run.writer.statistics.files += 1;
      this.#run.addItem(item);
    };
    if (sizeBytes === 0) return this.#run.push({ finish });
    const position = this.#input.positionOf(offsetBytes);
    let section: FileSection = { sizeBytes, stretches, offsetBytes: position };
    const storedBytes = storedBytesOf(section);
    const isStreamed = position === undefined && storedBytes > MAX_AHEAD_BYTES;
    if (position === undefined && !isStreamed) {
      const bytes = await this.#input.read(storedBytes);
      section = { ...section, bytes: new Uint8Array(bytes) };
    }
    const job = { path, fd: this.#input.fd, section, sizeHintBytes: sizeBytes };
    this.#run.read(file, job, {
      settle({ error, missingBytes }) {
        if (missingBytes !== undefined) {
          throw tarError('unexpected end of data', offsetBytes + storedBytes - missingBytes);
        }
        if (error !== undefined) throw new GeneralError([`reading the tar: ${fileError(error).message}`]);
      },
      finish,
    });
    if (!isStreamed) return position === undefined ? this.#run.drain(MAX_AHEAD_FILES) : undefined;
    // Another thread reads on from where the headers ended: nobody else may until it is done.
    await this.#run.drain();
    this.#input.passed(storedBytes);
  }
}

/** As Python shows a byte. */
function reprByte(character: string): string {
  if (character === "'") return "\\'";
  if (character === '\\') return '\\\\';
  const code = character.charCodeAt(0);
  if (code >= 0x20 && code < 0x7f) return character;
  const short = { 9: '\\t', 10: '\\n', 13: '\\r' }[code];
  return short ?? `\\x${code.toString(16).padStart(2, '0')}`;
}
