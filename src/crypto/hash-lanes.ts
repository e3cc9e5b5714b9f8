/**
 * Hashes large messages two at a time: whenever one is done, another may be begun beside the one that goes on. So neither
 * waits for the other, however unlike they are in length.
 */
import { createSha256Pair, type LaneNumber, type Sha256Pair, type Sha256Words } from './sha256-pair.ts';

/** A hash whose message may be hashed beside another one. */
export interface LaneHash {
  /** Of the whole message at once: 32 bytes of memory of their own. */
  digest(message: Uint8Array): Uint8Array;
  readonly parts?: LaneHashParts;
}

/** What SHA-256 makes of the message, behind other bytes, and what becomes of that. */
export interface LaneHashParts {
  readonly before: Sha256Words;
  readonly beforeBytes: number;
  finish(inner: Uint8Array): Uint8Array;
}

interface UnderWay {
  readonly hash: LaneHash;
  readonly message: Uint8Array;
  readonly onDigest: (digest: Uint8Array) => void;
}

export class HashLanes {
  readonly #pair: Sha256Pair | undefined = createSha256Pair();
  readonly #lanes: [UnderWay | undefined, UnderWay | undefined] = [undefined, undefined];
  /** It is hashed at once, as this processor, or this hash, knows no better. */
  #alone: UnderWay | undefined;

  /** Whether another message can be begun. */
  get hasRoom(): boolean {
    return this.#alone === undefined && this.#freeLane !== undefined;
  }

  /** Begins a message, which must stay as it is until `onDigest` gets its digest, of 32 bytes. */
  begin(hash: LaneHash, message: Uint8Array, onDigest: (digest: Uint8Array) => void): void {
    const lane = this.#freeLane;
    if (!this.hasRoom || lane === undefined) throw new RangeError('both lanes have a message');
    const underWay = { hash, message, onDigest };
    if (this.#pair === undefined || hash.parts === undefined) {
      this.#alone = underWay;
      return;
    }
    const { before, beforeBytes } = hash.parts;
    this.#pair.start(lane, message, before, beforeBytes);
    this.#lanes[lane] = underWay;
  }

  /** Hashes on until one message is done. There must be one. */
  finishOne(): void {
    if (this.#alone !== undefined) {
      const { hash, message, onDigest } = this.#alone;
      this.#alone = undefined;
      onDigest(hash.digest(message));
      return;
    }
    const lane = this.#pair!.finishOne();
    const { hash, onDigest } = this.#lanes[lane]!;
    this.#lanes[lane] = undefined;
    onDigest(hash.parts!.finish(this.#pair!.digest(lane)));
  }

  /** Gives up the messages. */
  clear(): void {
    this.#pair?.clear();
    this.#lanes.fill(undefined);
    this.#alone = undefined;
  }

  get #freeLane(): LaneNumber | undefined {
    if (this.#lanes[0] === undefined) return 0;
    return this.#lanes[1] === undefined ? 1 : undefined;
  }
}
