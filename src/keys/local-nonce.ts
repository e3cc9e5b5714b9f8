import { GeneralError } from '../errors.ts';
import { decodeNonce, encodeNonce } from '../format/nonce.ts';
import { withFileLock } from '../platform/file-lock.ts';
import { saveFile } from '../platform/save-file.ts';
import { readSmallText } from '../platform/state-files.ts';

/** The client's own mark: the first nonce that no reservation of this client covers. */
export interface LocalNonce {
  read(): bigint | undefined;
  /** Raises the mark durably. Throws where it is no longer `startNonce`, or would be lowered. */
  commit(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void>;
}

const LOCK_WAIT_MS = 10_000;

/**
 * The mark in the security folder, 16 hex digits in the file `nonce`.
 *
 * Source: Borg 1.4.5, crypto/nonces.py, get_local_free_nonce() and commit_local_nonce_reservation().
 */
export class LocalNonceFile implements LocalNonce {
  readonly #securityFolder: () => string;

  /** The folder is asked for, and thereby made, when the mark is first needed. */
  constructor(securityFolder: () => string) {
    this.#securityFolder = securityFolder;
  }

  read(): bigint | undefined {
    const path = this.#path();
    const text = readSmallText(path);
    if (text === undefined) return undefined;
    try {
      return decodeNonce(text);
    } catch (error) {
      throw new GeneralError(
        [`Local security dir has an invalid nonce file: ${path} must hold 16 hex digits`],
        error,
      );
    }
  }

  async commit(nextUnreserved: bigint, startNonce: bigint | undefined): Promise<void> {
    // Copies of a repository share this file but not their locks: comparing and writing must be one step.
    await withFileLock(this.#securityFolder(), LOCK_WAIT_MS, () => {
      assertRaised(this.read(), nextUnreserved, startNonce);
      saveFile(this.#path(), encodeNonce(nextUnreserved));
    });
  }

  #path(): string {
    return `${this.#securityFolder()}/nonce`;
  }
}

/** The conditions under which a mark may change. */
export function assertRaised(
  current: bigint | undefined,
  nextUnreserved: bigint,
  startNonce: bigint | undefined,
): void {
  if (current !== startNonce) {
    throw new GeneralError(['nonce space reservation with mismatched previous state']);
  }
  if (current !== undefined && nextUnreserved < current) {
    throw new GeneralError(['the mark of used nonces must not be lowered']);
  }
}
