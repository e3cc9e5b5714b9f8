/** How to cut: `buzhash, min exponent, max exponent, mask bits, window size` or `fixed, block size, header size`. */
export type ChunkerParams =
  | readonly ['buzhash', minExponent: number, maxExponent: number, maskBits: number, windowSize: number]
  | readonly ['fixed', blockSize: number, headerSize: number];

/** For the contents of files. */
export const DEFAULT_CHUNKER_PARAMS: ChunkerParams = ['buzhash', 19, 23, 21, 4095];
/** For the item metadata stream, whose changes are small. */
export const ITEMS_CHUNKER_PARAMS: ChunkerParams = ['buzhash', 15, 19, 17, 4095];

/** The largest size of a chunk. Source: Borg 1.4.5 constants.py. */
const MAX_DATA_SIZE = 20_971_479;

/** The text is no chunker's parameters; the message says what is wrong with it, as Borg's argument parser does. */
export class InvalidChunkerParams extends Error {
  override readonly name = 'InvalidChunkerParams';
}

/**
 * Parses `default`, `fixed,BLOCK_SIZE[,HEADER_SIZE]` and `[buzhash,]MIN,MAX,MASK,WINDOW`.
 *
 * Throws InvalidChunkerParams. Source: Borg 1.4.5 helpers/parseformat.py, ChunkerParams.
 */
export function parseChunkerParams(text: string): ChunkerParams {
  const params = text.trim().split(',');
  const algorithm = (params[0] ?? '').toLowerCase();
  const integer = (index: number): number => parseInteger(text, params[index] ?? '');
  if (algorithm === 'fixed' && (params.length === 2 || params.length === 3)) {
    return checkFixed(integer(1), params.length === 3 ? integer(2) : 0);
  }
  if (algorithm === 'default' && params.length === 1) return DEFAULT_CHUNKER_PARAMS;
  const first = params.length - 4;
  if ((algorithm === 'buzhash' && first === 1) || first === 0) {
    return checkBuzhash(integer(first), integer(first + 1), integer(first + 2), integer(first + 3));
  }
  throw new InvalidChunkerParams('invalid chunker params');
}

function checkFixed(blockSize: number, headerSize: number): ChunkerParams {
  if (blockSize < 64) throw new InvalidChunkerParams('block_size must not be less than 64 Bytes');
  if (blockSize > MAX_DATA_SIZE || headerSize > MAX_DATA_SIZE) {
    throw new InvalidChunkerParams(
      `block_size and header_size must not exceed MAX_DATA_SIZE [${MAX_DATA_SIZE}]`,
    );
  }
  return ['fixed', blockSize, headerSize];
}

function checkBuzhash(min: number, max: number, mask: number, windowSize: number): ChunkerParams {
  if (!(min <= mask && mask <= max)) {
    throw new InvalidChunkerParams('required: chunk_min <= chunk_mask <= chunk_max');
  }
  if (min < 6) {
    throw new InvalidChunkerParams(
      'min. chunk size exponent must not be less than 6 (2^6 = 64B min. chunk size)',
    );
  }
  if (max > 23) {
    throw new InvalidChunkerParams(
      'max. chunk size exponent must not be more than 23 (2^23 = 8MiB max. chunk size)',
    );
  }
  if (windowSize % 2 === 0) throw new InvalidChunkerParams('window_size must be an uneven (odd) number');
  // Borg runs into an assertion, or out of memory, on these.
  if (windowSize < 1) throw new InvalidChunkerParams('window_size must be positive');
  if (windowSize + 2 ** min + 1 > 2 ** max) throw new InvalidChunkerParams('too small max_size');
  return ['buzhash', min, max, mask, windowSize];
}

function parseInteger(text: string, digits: string): number {
  if (!/^\s*[+-]?\d+(?:_\d+)*\s*$/.test(digits)) {
    throw new InvalidChunkerParams(`invalid ChunkerParams value: '${text}'`);
  }
  return Number(digits.replaceAll('_', ''));
}
