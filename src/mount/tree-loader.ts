/** Loads archives into trees. Source: Borg 1.4.5, fuse.py, FuseBackend._process_archive. */
import { Archive, type ArchiveSource } from '../archive/archive.ts';
import type { SelectedArchive } from '../archive/archive-selection.ts';
import { RepositoryOutOfReach } from '../archive/lasting-repository.ts';
import { visitItems } from './item-positions.ts';
import { NodeTable } from './node-table.ts';
import { TreeBuilder, type TreeShape } from './tree-builder.ts';
import { Tree, type TreeContext, type TreeParts } from './tree.ts';
import { ROOT_INODE, VfsError } from './vfs.ts';

type Place = Pick<TreeParts, 'base' | 'rootParent' | 'rootName' | 'rootTimeNs'>;

const LOGGER = { logger: 'borg.fuse' };

export class TreeLoader {
  readonly #shared: TreeContext;
  readonly #source: ArchiveSource;
  readonly #shape: TreeShape;
  readonly #signal: AbortSignal;

  constructor(shared: TreeContext, source: ArchiveSource, shape: TreeShape, signal: AbortSignal) {
    this.#shared = shared;
    this.#source = source;
    this.#shape = shape;
    this.#signal = signal;
  }

  /** An archive as all there is. Throws ArchiveDoesNotExist, IntegrityError and what reading objects throws. */
  async loadOnly(name: string): Promise<Tree> {
    return this.#load([await Archive.open(this.#source, name)], false, this.#top());
  }

  /** The archives' files in one tree, with the versions of each; in the order of the archives. Throws as loadOnly(). */
  async loadVersions(archives: readonly SelectedArchive[]): Promise<Tree> {
    return this.#load(this.#opened(archives), true, this.#top());
  }

  /** An archive in a directory. Rejects with a VfsError, and a line in the log. */
  async loadEntered(archive: SelectedArchive, base: number, rootName: Uint8Array): Promise<Tree> {
    try {
      const place = { base, rootParent: ROOT_INODE, rootName, rootTimeNs: archive.timeNs };
      return await this.#load([await Archive.load(this.#source, archive)], false, place);
    } catch (error) {
      const message = `Archive ${archive.name} can't be loaded: ${error instanceof Error ? error.message : String(error)}`;
      if (!(error instanceof RepositoryOutOfReach)) this.#shared.reporter.log('error', message, LOGGER);
      throw new VfsError('EIO', message, error);
    }
  }

  async *#opened(archives: readonly SelectedArchive[]): AsyncGenerator<Archive, void, undefined> {
    for (const archive of archives) yield await Archive.load(this.#source, archive);
  }

  #top(): Place {
    const rootName = new Uint8Array(0);
    return { base: 0, rootParent: ROOT_INODE, rootName, rootTimeNs: this.#shared.startedNs };
  }

  async #load(
    archives: Iterable<Archive> | AsyncIterable<Archive>,
    versions: boolean,
    place: Place,
  ): Promise<Tree> {
    const table = new NodeTable();
    const warn = (message: string) => this.#shared.reporter.log('warning', message, LOGGER);
    const builder = new TreeBuilder(table, this.#shape, versions, warn);
    const { metadata } = this.#shared;
    for await (const archive of archives) {
      const ids = archive.metadata.items;
      const first = metadata.add(ids);
      const stream = metadata.stream(first, ids.length);
      await visitItems(stream, first, (...item) => builder.add(...item), this.#signal);
      builder.endArchive();
    }
    table.trim();
    const { contents, hasBirthtimes } = builder;
    return new Tree(this.#shared, { table, contents, hasBirthtimes, ...place });
  }
}
