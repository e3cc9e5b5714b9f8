/** Trees of archives that are made of any items at all, in a repository that is a map and fails on demand. */
import { selectArchives } from '../../src/archive/archive-selection.ts';
import { PatternMatcher } from '../../src/archive/patterns/pattern-matcher.ts';
import { parseExcludePattern } from '../../src/archive/patterns/pattern-command.ts';
import { ObjectNotFound } from '../../src/errors.ts';
import type { ArchiveEntry } from '../../src/format/manifest.ts';
import { openVfs, type VfsOptions, type VfsSource } from '../../src/mount/open-vfs.ts';
import { ROOT_INODE, type Vfs, type VfsFile } from '../../src/mount/vfs.ts';
import { fromUtf8, toHex, toUtf8Lossy } from '../../src/util/bytes.ts';
import { ArchiveCrafter, testContext } from '../archive/crafted-archive.ts';
import { RecordingReporter } from '../archive/scratch.ts';

export const OWNER = { uid: 1234, gid: 5678 };
/** When trees are opened. */
export const NOW_NS = 1_800_000_000_123_456_789n;

type Options = Partial<Omit<VfsOptions, 'show' | 'matcher'>> & {
  paths?: string[];
  exclude?: string[];
};

export class CraftedRepository {
  readonly objects = new Map<string, Uint8Array>();
  readonly archives = new Map<string, ArchiveEntry>();
  readonly reporter = new RecordingReporter();
  readonly env: Record<string, string> = {};
  /** Ids that were asked for, in hex. */
  readonly asked: string[] = [];
  /** Called before an object is given. */
  beforeGet: (idHex: string) => Promise<void> | void = () => {};
  closed = 0;
  #source: { key: VfsSource['key'] } | undefined;

  /** Adds an archive of what `fill` adds. Times go up by a day. */
  async add(name: string, fill: (crafter: ArchiveCrafter) => unknown): Promise<this> {
    const crafter = await ArchiveCrafter.create(testContext('/'));
    await fill(crafter);
    const day = String(this.archives.size + 1).padStart(2, '0');
    const { source, objects } = await crafter.finish({ name, time: `2024-01-${day}T12:00:00.000000` });
    for (const [id, sealed] of objects) this.objects.set(id, sealed);
    this.archives.set(name, source.manifest.archives.get('crafted')!);
    this.#source ??= source;
    return this;
  }

  get logged(): string[] {
    return this.reporter.logged;
  }

  handle(): VfsSource['repository'] {
    const get = async (id: Uint8Array): Promise<Uint8Array> => {
      const idHex = toHex(id);
      this.asked.push(idHex);
      await this.beforeGet(idHex);
      const sealed = this.objects.get(idHex);
      if (sealed === undefined) throw new ObjectNotFound([idHex, 'crafted']);
      return sealed.slice();
    };
    return {
      idHex: 'crafted',
      location: 'crafted',
      get,
      async *getMany(ids: Iterable<Uint8Array>) {
        for (const id of ids) yield await get(id);
      },
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    } as unknown as VfsSource['repository'];
  }

  openArchive(name: string, options: Options = {}): Promise<Vfs> {
    return this.#open({ archive: name }, options);
  }

  openAll(options: Options = {}): Promise<Vfs> {
    return this.#open({ archives: selectArchives(this.archives) }, options);
  }

  openVersions(options: Options = {}): Promise<Vfs> {
    return this.#open({ archives: selectArchives(this.archives), versions: true }, options);
  }

  /** What is opened; its handle is new each time. */
  source(): VfsSource {
    const ctx = { ...testContext('/'), reporter: this.reporter, env: this.env, nowNs: () => NOW_NS };
    const manifest = { archives: this.archives } as unknown as VfsSource['manifest'];
    return { ctx, repository: this.handle(), key: this.#source!.key, manifest };
  }

  #open(show: VfsOptions['show'], { paths = [], exclude = [], ...options }: Options): Promise<Vfs> {
    const matcher = PatternMatcher.build(
      exclude.map((text) => parseExcludePattern(text)),
      paths,
    );
    return openVfs(this.source(), { show, matcher, defaultOwner: OWNER, threads: 0, ...options });
  }
}

/** The inode at a path. Throws where there is none. */
export async function find(vfs: Vfs, path: string): Promise<number> {
  let inode = ROOT_INODE;
  for (const name of path.split('/').filter((part) => part !== '')) {
    inode = await vfs.lookup(inode, fromUtf8(name));
    if (inode === 0) throw new Error(`no ${name} of ${path}`);
  }
  return inode;
}

export async function openAt(vfs: Vfs, path: string): Promise<VfsFile> {
  return vfs.open(await find(vfs, path));
}

export async function readAll(vfs: Vfs, path: string): Promise<string> {
  const file = await openAt(vfs, path);
  return toUtf8Lossy(await file.read(0, file.sizeBytes + 10));
}

export async function namesIn(vfs: Vfs, path: string): Promise<string[]> {
  const names: string[] = [];
  await vfs.entries(await find(vfs, path), 0, ({ name }) => names.push(toUtf8Lossy(name)) > 0);
  return names;
}

/** All paths below the root, each directory's in its order. */
export async function pathsOf(vfs: Vfs, directory = ''): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await namesIn(vfs, directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    paths.push(path);
    const { mode } = await vfs.attributes(await find(vfs, path));
    if ((mode & 0o170000) === 0o040000) paths.push(...(await pathsOf(vfs, path)));
  }
  return paths;
}
