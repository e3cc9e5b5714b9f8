/**
 * Rules that leave out directories of an archive which say of themselves that they need no backup.
 *
 * Source: Borg 1.4.5, archive.py, ArchiveRecreater.matcher_add_tagged_dirs.
 */
import type { Item } from '../../format/item.ts';
import { isRegular } from '../../platform/file-stat.ts';
import { CACHE_TAG_CONTENTS, CACHE_TAG_NAME } from '../../platform/home.ts';
import { concatBytes, equalBytes, fromUtf8, toBinaryString } from '../../util/bytes.ts';
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import type { Archive } from '../archive.ts';
import type { TagOptions } from '../create/directory-tags.ts';
import { Pattern } from '../patterns/pattern.ts';
import type { PatternRule } from '../patterns/pattern-command.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';

export interface TaggedDirectoryOptions extends TagOptions {
  /** Take over the directory and what tags it. */
  readonly keepExcludeTags: boolean;
}

const TAG_NAME = fromUtf8(CACHE_TAG_NAME);
const TAG_CONTENTS = fromUtf8(CACHE_TAG_CONTENTS);

/** For the archive's directories that have a tag: one of caches, or one that the matcher does not leave out. */
export async function taggedDirectoryRules(
  archive: Archive,
  matcher: PatternMatcher,
  options: TaggedDirectoryOptions,
): Promise<PatternRule[]> {
  const tags: PatternRule[] = [];
  const directories: PatternRule[] = [];
  const { excludeCaches, excludeIfPresent, keepExcludeTags } = options;
  const masters = excludeCaches ? await linkedTags(archive) : new Map<string, Item>();
  for await (const item of archive.items()) {
    const { directory, name } = splitPath(item.path);
    const isNamedAsTag = equalBytes(name, TAG_NAME);
    const isTag =
      (excludeIfPresent.some((tag) => equalBytes(tag, name)) && (isNamedAsTag || matcher.match(item.path))) ||
      (excludeCaches && isNamedAsTag && (await isCacheTag(archive, item, masters)));
    if (!isTag) continue;
    const text = decodeSurrogateEscaped(directory);
    if (keepExcludeTags) {
      const tag = new Pattern('pp', decodeSurrogateEscaped(item.path));
      tags.push({ pattern: tag, command: 'include' });
      directories.push({ pattern: new Pattern('fm', `${text}/`), command: 'exclude-no-recurse' });
    } else directories.push({ pattern: new Pattern('pp', text), command: 'exclude-no-recurse' });
  }
  return [...tags, ...directories];
}

/** First names of the hard links that are called as the tag of caches; those may be called otherwise. */
async function linkedTags(archive: Archive): Promise<Map<string, Item>> {
  const masters = new Map<string, Item>();
  const sources = new Set<string>();
  for await (const item of archive.items()) {
    if (item.source === undefined || !isRegular(item.mode ?? 0)) continue;
    if (equalBytes(splitPath(item.path).name, TAG_NAME)) sources.add(toBinaryString(item.source));
  }
  if (sources.size === 0) return masters;
  for await (const item of archive.items()) {
    const key = toBinaryString(item.path);
    if (sources.has(key)) masters.set(key, item);
  }
  return masters;
}

async function isCacheTag(
  archive: Archive,
  item: Item,
  masters: ReadonlyMap<string, Item>,
): Promise<boolean> {
  if (!isRegular(item.mode ?? 0)) return false;
  const chunks = item.chunks ?? (item.source && masters.get(toBinaryString(item.source))?.chunks);
  if (chunks === undefined) return false;
  let begin: Uint8Array = new Uint8Array(0);
  for await (const data of archive.contents(chunks)) {
    begin = concatBytes([begin, data.subarray(0, TAG_CONTENTS.length)]);
    if (begin.length >= TAG_CONTENTS.length) break;
  }
  return equalBytes(begin.subarray(0, TAG_CONTENTS.length), TAG_CONTENTS);
}

function splitPath(path: Uint8Array): { directory: Uint8Array; name: Uint8Array } {
  const slash = path.lastIndexOf(0x2f);
  return { directory: path.subarray(0, Math.max(0, slash)), name: path.subarray(slash + 1) };
}
