/**
 * The password of a server: HTTP's basic authentication, in which any name of a user will do.
 *
 * Source: RFC 7617.
 */
import { constantTimeEqual } from '../../crypto/constant-time.ts';
import { randomBytes } from '../../crypto/random.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { fromUtf8 } from '../../util/bytes.ts';

const GENERATED_BYTES = 15;

export class Password {
  /** Of one length, so that nothing is told of the password's. */
  readonly #digest: Uint8Array;

  constructor(password: string) {
    this.#digest = sha256(fromUtf8(password));
  }

  /** Whether the `Authorization` field has it. */
  isIn(authorization: string | undefined): boolean {
    const encoded = /^basic +([\w+/=-]+) *$/i.exec(authorization ?? '')?.[1];
    if (encoded === undefined) return false;
    const pair = Buffer.from(encoded, 'base64');
    const colon = pair.indexOf(':');
    return colon >= 0 && constantTimeEqual(sha256(pair.subarray(colon + 1)), this.#digest);
  }
}

/** A new one that nobody guesses: 120 bits, in characters that need no quotes in a URL or a shell. */
export function generatePassword(): string {
  return Buffer.from(randomBytes(GENERATED_BYTES)).toString('base64url');
}
