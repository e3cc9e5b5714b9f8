/** Which compression to use, as given on the command line. Plain data, so that it can be sent to a worker. */
export type CompressionSpec =
  | { readonly name: 'none' }
  | { readonly name: 'lz4' }
  | { readonly name: 'zlib'; readonly level: number }
  | { readonly name: 'lzma'; readonly level: number }
  | { readonly name: 'zstd'; readonly level: number }
  | { readonly name: 'auto'; readonly inner: CompressionSpec }
  | { readonly name: 'obfuscate'; readonly level: number; readonly inner: CompressionSpec };

export const DEFAULT_COMPRESSION: CompressionSpec = { name: 'lz4' };

/** The text is not a compression; the message says what is wrong with it, as Borg's argument parser does. */
export class InvalidCompression extends Error {
  override readonly name = 'InvalidCompression';
}

/**
 * Parses `none`, `lz4`, `zstd[,1-22]`, `zlib[,0-9]`, `lzma[,0-9]`, `auto,C[,L]` and `obfuscate,SPEC,C[,L]`.
 * Like Borg, it ignores what follows `none,` and `lz4,`.
 *
 * Throws InvalidCompression. Source: Borg 1.4.5 compress.pyx, CompressionSpec.
 */
export function parseCompression(text: string): CompressionSpec {
  const [name, ...args] = text.split(',');
  switch (name) {
    case 'none':
    case 'lz4':
      return { name };
    case 'zlib':
    case 'lzma':
      return { name, level: parseLevel(text, args, 6, 0, 9) };
    case 'zstd':
      return { name, level: parseLevel(text, args, 3, 1, 22) };
    case 'auto':
      if (args.length < 1 || args.length > 2) throw new InvalidCompression('bad arguments');
      return { name, inner: parseCompression(args.join(',')) };
    case 'obfuscate': {
      if (args.length < 2 || args.length > 4) throw new InvalidCompression('bad arguments');
      const level = parseInteger(text, args[0] ?? '');
      if (!isObfuscationLevel(level)) {
        throw new InvalidCompression('level must be (inclusively) within 1...6, 110...123 or equal to 250');
      }
      return { name, level, inner: parseCompression(args.slice(1).join(',')) };
    }
    default:
      throw new InvalidCompression('unsupported compression type');
  }
}

/** The text that `parseCompression` reads back to the same value. */
export function formatCompression(spec: CompressionSpec): string {
  switch (spec.name) {
    case 'none':
    case 'lz4':
      return spec.name;
    case 'auto':
      return `auto,${formatCompression(spec.inner)}`;
    case 'obfuscate':
      return `obfuscate,${spec.level},${formatCompression(spec.inner)}`;
    default:
      return `${spec.name},${spec.level}`;
  }
}

function isObfuscationLevel(level: number): boolean {
  return (level >= 1 && level <= 6) || (level >= 110 && level <= 123) || level === 250;
}

function parseLevel(text: string, args: readonly string[], preset: number, min: number, max: number): number {
  if (args.length === 0) return preset;
  if (args.length > 1) throw new InvalidCompression('too many arguments');
  const level = parseInteger(text, args[0] ?? '');
  if (level < min || level > max) throw new InvalidCompression(`level must be >= ${min} and <= ${max}`);
  return level;
}

function parseInteger(text: string, digits: string): number {
  if (!/^\s*[+-]?\d+(?:_\d+)*\s*$/.test(digits)) {
    throw new InvalidCompression(`invalid CompressionSpec value: '${text}'`);
  }
  return Number(digits.replaceAll('_', ''));
}
