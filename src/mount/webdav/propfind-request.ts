/**
 * What a client wants to know of resources.
 *
 * Source: RFC 4918, sections 9.1 and 14.20.
 */
import { SaxesParser } from 'saxes';

export const DAV_NAMESPACE = 'DAV:';

export interface PropertyName {
  readonly namespace: string;
  readonly name: string;
}

export type PropfindRequest =
  | { readonly kind: 'all' }
  | { readonly kind: 'names' }
  | { readonly kind: 'some'; readonly names: readonly PropertyName[] };

export class PropfindError extends Error {
  override readonly name = 'PropfindError';
}

function fail(message: string): never {
  throw new PropfindError(message);
}

export const MAX_PROPFIND_BYTES = 64 * 1024;
const MAX_NAMES = 200;
const MAX_DEPTH = 32;

/** An empty body asks for all. @throws PropfindError; document types, and with them entities, are refused */
export function parsePropfind(body: Uint8Array): PropfindRequest {
  if (body.length === 0) return { kind: 'all' };
  const found = new PropfindReader();
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', ({ message }) => fail(message));
  parser.on('doctype', () => fail('a document type is not permitted'));
  parser.on('opentag', ({ uri, local }) => found.open({ namespace: uri, name: local }));
  parser.on('closetag', () => found.close());
  parser.write(decodeXml(body)).close();
  return found.result();
}

class PropfindReader {
  readonly #path: PropertyName[] = [];
  readonly #kinds = new Set<string>();
  readonly #names: PropertyName[] = [];

  open(element: PropertyName): void {
    const [root, kind] = this.#path;
    if (root === undefined && !isDav(element, 'propfind')) throw new PropfindError('it is no propfind');
    if (this.#path.length === 1 && element.namespace === DAV_NAMESPACE) this.#kinds.add(element.name);
    if (this.#path.length === 2 && kind && isDav(kind, 'prop')) {
      if (this.#names.length === MAX_NAMES) throw new PropfindError('too many properties');
      this.#names.push(element);
    }
    if (this.#path.push(element) > MAX_DEPTH) throw new PropfindError('too many levels');
  }

  close(): void {
    this.#path.pop();
  }

  result(): PropfindRequest {
    const kinds = ['allprop', 'propname', 'prop'].filter((kind) => this.#kinds.has(kind));
    if (kinds.length !== 1) throw new PropfindError('it has to ask for one of allprop, propname and prop');
    if (kinds[0] === 'allprop') return { kind: 'all' };
    return kinds[0] === 'propname' ? { kind: 'names' } : { kind: 'some', names: this.#names };
  }
}

function isDav({ namespace, name }: PropertyName, wanted: string): boolean {
  return namespace === DAV_NAMESPACE && name === wanted;
}

/** UTF-8, or UTF-16 behind its mark: what every processor of XML has to read. */
function decodeXml(body: Uint8Array): string {
  const [first, second] = body;
  const encoding =
    first === 0xfe && second === 0xff ? 'utf-16be' : first === 0xff && second === 0xfe ? 'utf-16le' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(body);
  } catch (error) {
    throw new PropfindError(`it is not ${encoding}`, { cause: error });
  }
}
