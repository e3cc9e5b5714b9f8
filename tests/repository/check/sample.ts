/** A small repository, ways to damage it, and what is in it. */
import type { RepositoryCheckOptions, RepositoryCheckResult } from '../../../src/repository/check-result.ts';
import { createRepositoryIn } from '../../../src/repository/create-repository.ts';
import { openRepositoryIn } from '../../../src/repository/open-repository.ts';
import { MANIFEST_ID } from '../../../src/repository/repository.ts';
import { KEEP_UNSYNCED, MemoryStore } from '../../../src/store/memory-store.ts';
import { StoreError } from '../../../src/store/store.ts';
import type { Store } from '../../../src/store/store.ts';
import { createWholeFile, readWholeFile } from '../../../src/store/whole-file.ts';
import { ByteRanges } from '../../../src/util/byte-ranges.ts';
import type { ByteRange } from '../../../src/util/byte-ranges.ts';
import { toHex } from '../../../src/util/bytes.ts';
import { dataOf, idOf, identity, testContext } from '../fakes.ts';

export type Contents = Map<string, string>;

/** Where each live object is, `segment` and `offset` of its PUT. */
export interface Place {
  readonly id: string;
  readonly segment: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Three transactions with deletions in segments 0 to 5; the odd ones hold a COMMIT each. */
export async function prepare(objectSizeBytes = 20): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repository = await createRepositoryIn(testContext(), store, { identity: identity() });
  await repository.put(MANIFEST_ID, dataOf('manifest'));
  for (let i = 0; i < 8; i++) await repository.put(idOf(i), dataOf(i, objectSizeBytes + i));
  await repository.commit();
  await repository.put(idOf(0), dataOf('new 0', Math.max(50, objectSizeBytes)));
  await repository.delete(idOf(1));
  await repository.commit();
  await repository.put(idOf(9), dataOf(9));
  await repository.commit();
  await repository.close();
  return store;
}

/** All objects that can be read. */
export async function contentsOf(store: Store): Promise<Contents> {
  await using repository = await openRepositoryIn(testContext(), store, { identity: identity() });
  const contents: Contents = new Map();
  for (const id of await repository.list()) contents.set(toHex(id), toHex(await repository.get(id)));
  return contents;
}

/** By the log itself, which is sound. */
export async function placesOf(store: Store): Promise<Place[]> {
  await using repository = await openRepositoryIn(testContext(), store, { identity: identity() });
  const places = new Map<string, Place>();
  for (const segment of repository.log.files.ascending()) {
    for (const { key, offset, sizeBytes, tag } of repository.log.entries(segment)) {
      const id = toHex(key);
      if (tag === 0) places.set(id, { id, segment, offset, sizeBytes });
      else if (tag === 1) places.delete(id);
    }
  }
  return [...places.values()];
}

export interface Checked extends RepositoryCheckResult {
  /** What was said, other than debug lines. */
  readonly lines: readonly string[];
}

export async function check(store: Store, options: RepositoryCheckOptions = {}): Promise<Checked> {
  const context = testContext();
  await using repository = await openRepositoryIn(context, store, { exclusive: true, identity: identity() });
  return { ...(await repository.check(options)), lines: context.reporter.lines };
}

export const copyOf = (store: MemoryStore): MemoryStore => store.afterCrash(KEEP_UNSYNCED);

export function edit(store: Store, path: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = change(Uint8Array.from(readWholeFile(store, path, 1e8)));
  store.removeFile(path);
  createWholeFile(store, path, bytes);
}

export const flip = (at: number) => (bytes: Uint8Array) => {
  bytes[at]! ^= 0x21;
  return bytes;
};

/** Every file and its content. */
export function treeOf(store: Store, folder = ''): Map<string, string> {
  const tree = new Map<string, string>();
  for (const { name, kind } of store.list(folder)) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (kind === 'folder') for (const [inner, content] of treeOf(store, path)) tree.set(inner, content);
    else tree.set(path, toHex(readWholeFile(store, path, 1e8)));
  }
  return new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The store, of which some parts of some files can't be read; `reads` counts how often that was tried. */
export function withBadSectors(
  store: MemoryStore,
  bad: ReadonlyMap<string, readonly ByteRange[]>,
  code = 'EIO',
): Store & { failedReads: number } {
  const state = { failedReads: 0 };
  const openFile: Store['openFile'] = (path) => {
    const handle = store.openFile(path);
    const ranges = new ByteRanges(bad.get(path) ?? []);
    return {
      read(into, position) {
        if (ranges.firstIn(position, into.length) !== undefined) {
          state.failedReads++;
          throw new StoreError(code, 'read', path);
        }
        return handle.read(into, position);
      },
      sizeBytes: () => handle.sizeBytes(),
      close: () => handle.close(),
    };
  };
  return new Proxy(store as unknown as Store & { failedReads: number }, {
    get(_target, name) {
      if (name === 'openFile') return openFile;
      if (name === 'failedReads') return state.failedReads;
      const value: unknown = Reflect.get(store, name, store);
      return typeof value === 'function' ? (value as () => unknown).bind(store) : value;
    },
  });
}
