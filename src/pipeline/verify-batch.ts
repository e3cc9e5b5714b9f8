/** What a thread that verifies sealed objects is told, of many in one message, and what it says of them. */
import type { StretchFile } from '../util/sealed.ts';

export interface VerifyRequest {
  /** 32 bytes for each object. */
  readonly ids: Uint8Array;
  /** STRETCH_WORDS for each, see SealedStretch. */
  readonly places: Uint32Array;
  readonly file: StretchFile;
}

export interface VerifyBatch extends VerifyRequest {
  readonly batch: number;
}

export interface VerifyReply {
  readonly batch: number;
  /** Numbers of the objects that are damaged, or not what their ids say. */
  readonly damaged: Uint32Array;
}
