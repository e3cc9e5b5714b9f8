/**
 * Writes opened objects to files: what a thread does for an extraction, and the main thread where there is little to do.
 *
 * Source: Borg 1.4.5, archive.py, Archive.extract_item.
 */
import { type FileAttributes, setFileAttributes } from '../platform/file-attributes.ts';
import type { At } from '../platform/file-stat.ts';
import { closeFile } from '../platform/open-file.ts';
import { isOsError, OsError, type Path } from '../platform/os-error.ts';
import { FileWriter, replaceFile } from '../platform/write-file.ts';
import type { FileOutcome, FileWrite } from './file-write.ts';
import type { Plaintexts } from './plaintexts.ts';

const NO_WARNINGS: readonly string[] = [];

/** A system call failed. */
class WriteFailure extends Error {
  readonly operation: string;
  override readonly cause: OsError;

  constructor(operation: string, cause: OsError) {
    super(operation);
    this.operation = operation;
    this.cause = cause;
  }
}

/** Does what is to be done for each file, with the next objects for each. `beforeEach` may stop it by what it throws. */
export function writeFiles(
  plaintexts: Plaintexts,
  writes: Iterable<FileWrite>,
  beforeEach?: () => void,
): FileOutcome[] {
  const outcomes: FileOutcome[] = [];
  for (const write of writes) {
    beforeEach?.();
    plaintexts.begin(write.objectCount);
    outcomes.push(writeFileContents(write, plaintexts));
  }
  plaintexts.begin(0);
  return outcomes;
}

/** What the operating system refuses is in the outcome; then, and behind a damaged object, no more is asked for. */
function writeFileContents(write: FileWrite, plaintexts: Plaintexts): FileOutcome {
  const { target } = write;
  try {
    return 'fd' in target
      ? writePart(target.fd, target.offsetBytes, write, plaintexts)
      : makeFile(target.at, target.attributes, write, plaintexts);
  } catch (error) {
    if (!(error instanceof WriteFailure)) throw error;
    const { operation, cause } = error;
    return { sizeBytes: 0, isDamaged: false, warnings: NO_WARNINGS, error: { operation, cause } };
  }
}

function makeFile(at: At, attributes: FileAttributes, write: FileWrite, plaintexts: Plaintexts): FileOutcome {
  const { path } = write;
  const fd = attempt('open', () => replaceFile(path, at), path);
  try {
    const writer = new FileWriter(fd, { sparse: write.sparse });
    const outcome = writeObjects(writer, plaintexts);
    if (outcome.isDamaged) return outcome;
    attempt('truncate_and_attrs', () => writer.finish());
    const warnings = attempt('attrs', () => setFileAttributes({ path, fd }, attributes), path);
    return warnings.length === 0 ? outcome : { ...outcome, warnings };
  } finally {
    attempt('close', () => closeFile(fd), path);
  }
}

/** The file does not get its size here: where this part ends in a hole, the next one may be there already. */
function writePart(
  fd: number,
  positionBytes: number,
  { sparse }: FileWrite,
  plaintexts: Plaintexts,
): FileOutcome {
  return writeObjects(new FileWriter(fd, { positionBytes, sparse }), plaintexts);
}

function writeObjects(writer: FileWriter, plaintexts: Plaintexts): FileOutcome {
  const from = writer.positionBytes;
  while (plaintexts.hasNext) {
    const plaintext = plaintexts.next();
    if (plaintext === undefined) return { sizeBytes: 0, isDamaged: true, warnings: NO_WARNINGS };
    attempt('write', () => writer.write(plaintext));
  }
  return { sizeBytes: writer.positionBytes - from, isDamaged: false, warnings: NO_WARNINGS };
}

/** `shown` is the path that the error names. */
function attempt<T>(operation: string, call: () => T, shown?: Path): T {
  try {
    return call();
  } catch (error) {
    if (!isOsError(error)) throw error;
    throw new WriteFailure(operation, new OsError(-(error.errno ?? 0), error.syscall ?? operation, shown));
  }
}
