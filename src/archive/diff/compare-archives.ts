/**
 * Pairs the items of two archives by their paths and compares them, while both are read. Paths that stand at the same
 * place in both come first as they are met, then what only the second has, then what only the first has, and last
 * what had to wait for the first name of a hard link.
 *
 * Source: Borg 1.4.5, archive.py, Archive.compare_archives_iter.
 */
import { GeneralWarning } from '../../errors.ts';
import type { Item } from '../../format/item.ts';
import { toBinaryString } from '../../util/bytes.ts';
import type { Context } from '../../util/context.ts';
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { Archive } from '../archive.ts';
import { isLinkMaster, isLinkable } from '../hard-links.ts';
import type { PatternMatcher } from '../patterns/pattern-matcher.ts';
import { diffItems, type ItemDiff, type ItemDiffOptions, type ItemState } from './item-diff.ts';

export interface CompareOptions extends ItemDiffOptions {
  readonly matcher: PatternMatcher;
}

export interface PathDiff extends ItemDiff {
  readonly path: Uint8Array;
}

type Pair = readonly [before: Item, after: Item];

/** All pairs, equal ones too. A hard link whose first name is not in the selection is a warning. */
export async function* compareArchives(
  ctx: Context,
  before: Archive,
  after: Archive,
  options: CompareOptions,
): AsyncGenerator<PathDiff, void, undefined> {
  yield* new Comparison(ctx, before, after, options).run();
}

class Comparison {
  readonly #ctx: Context;
  readonly #before: Archive;
  readonly #after: Archive;
  readonly #options: CompareOptions;
  /** Items without a partner so far, by path. */
  readonly #onlyBefore = new Map<string, Item>();
  readonly #onlyAfter = new Map<string, Item>();
  /** States of paths that other items name as their source. */
  readonly #masters = new Map<string, readonly [ItemState, ItemState]>();
  readonly #deferred: Pair[] = [];

  constructor(ctx: Context, before: Archive, after: Archive, options: CompareOptions) {
    this.#ctx = ctx;
    this.#before = before;
    this.#after = after;
    this.#options = options;
  }

  async *run(): AsyncGenerator<PathDiff, void, undefined> {
    for await (const [before, after] of this.#pairs()) {
      this.#noteMasters(before, after);
      if (this.#sourceSeen(before) && this.#sourceSeen(after)) yield await this.#compare(before, after);
      else this.#deferred.push([before, after]);
    }
    for (const added of this.#onlyAfter.values()) {
      this.#noteMasters(undefined, added);
      yield await this.#compare(undefined, added);
    }
    for (const removed of this.#onlyBefore.values()) {
      this.#noteMasters(removed, undefined);
      yield await this.#compare(removed, undefined);
    }
    for (const [before, after] of this.#deferred) {
      const unseen = [before, after].filter((item) => !this.#sourceSeen(item));
      for (const item of unseen) this.#warnOfSource(item);
      if (unseen.length === 0) yield await this.#compare(before, after);
    }
  }

  /** Items of one path; those without a partner are left behind. */
  async *#pairs(): AsyncGenerator<Pair, void, undefined> {
    const beforeItems = this.#selected(this.#before);
    const afterItems = this.#selected(this.#after);
    try {
      for (;;) {
        this.#ctx.signal.throwIfAborted();
        const before = (await beforeItems.next()).value ?? undefined;
        const after = (await afterItems.next()).value ?? undefined;
        if (before === undefined && after === undefined) return;
        const beforeKey = before && toBinaryString(before.path);
        const afterKey = after && toBinaryString(after.path);
        if (before !== undefined && after !== undefined && beforeKey === afterKey) {
          yield [before, after];
          continue;
        }
        if (before !== undefined) {
          const partner = takeOrLeave(this.#onlyAfter, this.#onlyBefore, beforeKey!, before);
          if (partner !== undefined) yield [before, partner];
        }
        if (after !== undefined) {
          const partner = takeOrLeave(this.#onlyBefore, this.#onlyAfter, afterKey!, after);
          if (partner !== undefined) yield [partner, after];
        }
      }
    } finally {
      await beforeItems.return();
      await afterItems.return();
    }
  }

  async *#selected(archive: Archive): AsyncGenerator<Item, void, undefined> {
    for await (const item of archive.items()) if (this.#options.matcher.match(item.path)) yield item;
  }

  async #compare(before: ItemState, after: ItemState): Promise<PathDiff> {
    const diff = await diffItems(
      this.#resolve(before, 0),
      this.#resolve(after, 1),
      {
        before: (chunks) => this.#before.contents(chunks),
        after: (chunks) => this.#after.contents(chunks),
      },
      this.#options,
    );
    return { ...diff, path: (before ?? after)!.path };
  }

  /** The state of a hard link's first name, which has its contents. */
  #resolve(item: ItemState, side: 0 | 1): ItemState {
    if (item?.source === undefined || !isLinkable(item)) return item;
    const master = this.#masters.get(toBinaryString(item.source));
    return master === undefined ? item : master[side];
  }

  #noteMasters(before: ItemState, after: ItemState): void {
    if ([before, after].some((item) => item !== undefined && isLinkMaster(item))) {
      this.#masters.set(toBinaryString((before ?? after)!.path), [before, after]);
    }
  }

  #sourceSeen(item: Item): boolean {
    return item.source === undefined || !isLinkable(item) || this.#masters.has(toBinaryString(item.source));
  }

  #warnOfSource(item: Item): void {
    const source = item.source === undefined ? '' : toDisplayText(item.source);
    const text = `cannot find hardlink source for ${toDisplayText(item.path)} (${source}), skipping compare.`;
    this.#ctx.reporter.warn(new GeneralWarning([text]));
  }
}

/** Takes the partner out of the other side's items, or leaves the item behind for a partner that comes later. */
function takeOrLeave(
  others: Map<string, Item>,
  own: Map<string, Item>,
  key: string,
  item: Item,
): Item | undefined {
  const partner = others.get(key);
  if (partner === undefined) own.set(key, item);
  else others.delete(key);
  return partner;
}
