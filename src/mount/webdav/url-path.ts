/**
 * Paths in URLs. Names of files are bytes: each that is no plain character of a URL is percent-encoded, and comes back as
 * it was, whether or not the whole is UTF-8.
 *
 * Source: RFC 3986, sections 2.1, 2.3 and 3.3.
 */
import { fromBinaryString, toBinaryString } from '../../util/bytes.ts';

export interface UrlPath {
  /** From the root on. */
  readonly names: readonly Uint8Array[];
  /** It ends in a slash, as the URLs of directories do. */
  readonly endsInSlash: boolean;
}

/** The path of a request's target, without its query. Undefined where no file can have such a path. */
export function decodeUrlPath(text: string): UrlPath | undefined {
  if (!text.startsWith('/')) return undefined;
  const endsInSlash = text.endsWith('/');
  const parts = text === '/' ? [] : text.slice(1, endsInSlash ? -1 : undefined).split('/');
  const names: Uint8Array[] = [];
  for (const part of parts) {
    const name = decodeName(part);
    if (name === undefined) return undefined;
    names.push(name);
  }
  return { names, endsInSlash };
}

/** The path of a URL, absolute. */
export function encodeUrlPath(names: readonly Uint8Array[], endsInSlash: boolean): string {
  if (names.length === 0) return '/';
  return `/${names.map(encodeUrlName).join('/')}${endsInSlash ? '/' : ''}`;
}

export function encodeUrlName(name: Uint8Array): string {
  return toBinaryString(name).replaceAll(
    /[^\w.~-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Each character stands for a byte, as Node gives what came in. */
function decodeName(part: string): Uint8Array | undefined {
  if (/%(?![\dA-Fa-f]{2})/.test(part)) return undefined;
  const name = part.replaceAll(/%(..)/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  // eslint-disable-next-line no-control-regex
  if (name === '' || name === '.' || name === '..' || /[\0/\u0100-\uffff]/.test(name)) return undefined;
  return fromBinaryString(name);
}
