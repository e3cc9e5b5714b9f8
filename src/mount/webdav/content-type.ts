/** What kind of contents a name stands for. Browsers are told to believe it, and to guess nothing. */
import { lookup } from 'mrmime';
import { toBinaryString } from '../../util/bytes.ts';

const UNKNOWN = 'application/octet-stream';
const TEXT = 'text/plain';

/** What mrmime does not know or takes for something else, and people have in backups. */
const MORE: ReadonlyMap<string, string> = new Map([
  ...'c cc cfg conf cpp cs go h hpp ini java kt lua php pl py rb rs service sh sql swift tex ts tsx'
    .split(' ')
    .map((extension) => [extension, TEXT] as const),
  ['flac', 'audio/flac'],
  ['mkv', 'video/x-matroska'],
  ['tar', 'application/x-tar'],
  ['vcf', 'text/vcard'],
  ['zst', 'application/zstd'],
]);

export function contentTypeOf(name: Uint8Array): string {
  // Without a dot, or with none but the first, there is no extension.
  const extension = /[^.].*\.(\w+)$|[^.]\.(\w+)$/s
    .exec(toBinaryString(name))
    ?.slice(1)
    .find(Boolean)
    ?.toLowerCase();
  if (extension === undefined) return UNKNOWN;
  const type = MORE.get(extension) ?? lookup(extension) ?? UNKNOWN;
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
