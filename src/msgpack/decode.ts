import { MsgpackError } from './value.ts';
import type { MsgpackValue } from './value.ts';
import { Unpacker } from './unpacker.ts';
import type { UnpackLimits } from './unpacker.ts';

export interface DecodeOptions extends UnpackLimits {
  /** Ignore bytes after the value, as Borg does for manifests, archives and key blobs. Default false. */
  allowTrailing?: boolean;
}

/**
 * Unpacks one value. Lengths are checked against the length of `bytes`, unless the options say less. Long raw values
 * are views of `bytes`. Throws a MsgpackError where the data is damaged, cut short or followed by more.
 *
 * Source: Borg 1.4.5 helpers/msgpack.py, unpackb().
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): MsgpackValue {
  const { allowTrailing, ...limits } = options;
  const unpacker = new Unpacker({
    maxBufferBytes: bytes.length,
    ...limits,
  });
  if (limits.maxBufferBytes !== undefined && bytes.length > limits.maxBufferBytes) {
    throw new MsgpackError('unpack buffer is full');
  }
  unpacker.wrap(bytes);
  const value = unpacker.next();
  if (value === undefined) throw new MsgpackError('the data ends within a value');
  if (unpacker.pendingBytes > 0 && allowTrailing !== true) throw new MsgpackError('bytes after the value');
  return value;
}
