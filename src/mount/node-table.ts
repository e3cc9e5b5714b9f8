/**
 * Nodes (files, directories …) and the names by which directories hold them, in typed arrays: some 60 bytes a file
 * beyond its name. A node is a number from 0, the root; a name in a directory is an edge, a number from 0 too. Numbers
 * are given in the order of the calls, and stay.
 *
 * The entries of a directory are in the order in which their names were added first. Adding a name again leads it to
 * another node.
 */

export const ROOT_NODE = 0;
/** In place of a node or an edge that does not exist. */
export const NONE = -1;

const EMPTY = 0xffffffff;
const GROWTH = 1.5;
const FIRST_NODES = 256;
const FIRST_SLOTS = 1024;
const FIRST_NAME_BYTES = 8192;
/** Slots of the hash table that may be taken. */
const MAX_LOAD = 0.75;
const MAX_NAME_BYTES = 0xffff;
const MAX_ALL_NAMES_BYTES = 0xffffffff;

export class NodeTable {
  #nodes = 0;
  #edges = 0;
  /** Of nodes: where the item is. */
  #chunks = new Uint32Array(FIRST_NODES);
  #offsets = new Uint32Array(FIRST_NODES);
  #modes = new Uint16Array(FIRST_NODES);
  #links = new Uint32Array(FIRST_NODES);
  /** Of nodes: one edge that leads to it, and the first and last of its own entries. */
  #names = new Uint32Array(FIRST_NODES);
  #firsts = new Uint32Array(FIRST_NODES);
  #lasts = new Uint32Array(FIRST_NODES);
  /** Of edges. */
  #directories = new Uint32Array(FIRST_NODES);
  #targets = new Uint32Array(FIRST_NODES);
  #nexts = new Uint32Array(FIRST_NODES);
  #nameStarts = new Uint32Array(FIRST_NODES);
  #nameLengths = new Uint16Array(FIRST_NODES);
  #text = new Uint8Array(FIRST_NAME_BYTES);
  #textEnd = 0;
  /** Edges by directory and name. */
  #slots = new Uint32Array(FIRST_SLOTS).fill(EMPTY);
  /** Names come from whoever was backed up: where they fall must not be known to them. */
  readonly #seed = Math.floor(Math.random() * 0x100000000) | 0;

  constructor() {
    this.addNode();
  }

  get nodeCount(): number {
    return this.#nodes;
  }

  get edgeCount(): number {
    return this.#edges;
  }

  /** Of all arrays. */
  get sizeBytes(): number {
    const arrays = [...this.#nodeArrays(), ...this.#edgeArrays(), this.#text, this.#slots];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** Of the names themselves. */
  get namesBytes(): number {
    return this.#textEnd;
  }

  /** A node without an item and without a name; with one link. */
  addNode(): number {
    if (this.#nodes === this.#modes.length) this.#growNodes(Math.ceil(this.#nodes * GROWTH));
    const node = this.#nodes++;
    this.#chunks[node] = EMPTY;
    this.#links[node] = 1;
    this.#names[node] = EMPTY;
    this.#firsts[node] = EMPTY;
    this.#lasts[node] = EMPTY;
    return node;
  }

  setItem(node: number, mode: number, chunk: number, offset: number): void {
    this.#modes[node] = mode;
    this.#chunks[node] = chunk;
    this.#offsets[node] = offset;
  }

  setMode(node: number, mode: number): void {
    this.#modes[node] = mode;
  }

  setLinks(node: number, links: number): void {
    this.#links[node] = links;
  }

  mode(node: number): number {
    return this.#modes[node]!;
  }

  links(node: number): number {
    return this.#links[node]!;
  }

  /** Number of the metadata chunk with the node's item; NONE where it has no item. */
  chunk(node: number): number {
    const chunk = this.#chunks[node]!;
    return chunk === EMPTY ? NONE : chunk;
  }

  /** Where in that chunk the item begins. */
  offset(node: number): number {
    return this.#offsets[node]!;
  }

  /** The edge of a name, `bytes[from … to]`, in a directory; NONE. */
  find(directory: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
    const edge = this.#slots[this.#slotOf(directory, bytes, from, to)]!;
    return edge === EMPTY ? NONE : edge;
  }

  /** Leads the name to the node; a name that is there already leads there from now on. Returns its edge. */
  link(directory: number, node: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
    const slot = this.#slotOf(directory, bytes, from, to);
    const known = this.#slots[slot]!;
    if (known !== EMPTY) {
      this.#targets[known] = node;
      if (this.#names[node] === EMPTY) this.#names[node] = known;
      return known;
    }
    const edge = this.#addEdge(directory, node, bytes, from, to);
    this.#slots[slot] = edge;
    if (this.#edges > this.#slots.length * MAX_LOAD) this.#rehash(this.#slots.length * 2);
    return edge;
  }

  /** The first edge of a directory, or the one behind `edge`; NONE. */
  firstEdge(directory: number): number {
    const edge = this.#firsts[directory]!;
    return edge === EMPTY ? NONE : edge;
  }

  nextEdge(edge: number): number {
    const next = this.#nexts[edge]!;
    return next === EMPTY ? NONE : next;
  }

  target(edge: number): number {
    return this.#targets[edge]!;
  }

  directory(edge: number): number {
    return this.#directories[edge]!;
  }

  /** A view. */
  name(edge: number): Uint8Array {
    const start = this.#nameStarts[edge]!;
    return this.#text.subarray(start, start + this.#nameLengths[edge]!);
  }

  /** One edge that leads, or once led, to the node; NONE. */
  edgeOf(node: number): number {
    const edge = this.#names[node]!;
    return edge === EMPTY ? NONE : edge;
  }

  /** Gives back what was taken ahead. */
  trim(): void {
    this.#growNodes(this.#nodes);
    this.#growEdges(this.#edges);
    this.#text = this.#text.slice(0, this.#textEnd);
  }

  #addEdge(directory: number, node: number, bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (length > MAX_NAME_BYTES) throw new RangeError(`a name of ${length} bytes`);
    if (this.#edges === this.#targets.length) this.#growEdges(Math.ceil(this.#edges * GROWTH) + 1);
    const edge = this.#edges++;
    this.#directories[edge] = directory;
    this.#targets[edge] = node;
    this.#nexts[edge] = EMPTY;
    this.#nameStarts[edge] = this.#textEnd;
    this.#nameLengths[edge] = length;
    this.#addText(bytes, from, to);
    if (this.#names[node] === EMPTY) this.#names[node] = edge;
    const last = this.#lasts[directory]!;
    if (last === EMPTY) this.#firsts[directory] = edge;
    else this.#nexts[last] = edge;
    this.#lasts[directory] = edge;
    return edge;
  }

  #addText(bytes: Uint8Array, from: number, to: number): void {
    const end = this.#textEnd + to - from;
    if (end > this.#text.length) {
      if (end > MAX_ALL_NAMES_BYTES) throw new RangeError('names of more than 4 GiB');
      this.#text = resized(this.#text, Math.min(Math.ceil(end * GROWTH), MAX_ALL_NAMES_BYTES));
    }
    const text = this.#text;
    for (let i = from, at = this.#textEnd; i < to; i++) text[at++] = bytes[i]!;
    this.#textEnd = end;
  }

  /** Where the edge of the name is, or would be. */
  #slotOf(directory: number, bytes: Uint8Array, from: number, to: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(directory, bytes, from, to) & mask; ; slot = (slot + 1) & mask) {
      const edge = this.#slots[slot]!;
      if (edge === EMPTY || this.#is(edge, directory, bytes, from, to)) return slot;
    }
  }

  #is(edge: number, directory: number, bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#directories[edge] !== directory || this.#nameLengths[edge] !== to - from) return false;
    const text = this.#text;
    for (let i = from, at = this.#nameStarts[edge]!; i < to; i++) if (bytes[i] !== text[at++]) return false;
    return true;
  }

  /** FNV-1a from a seed, with murmur3's last mixing. */
  #hash(directory: number, bytes: Uint8Array, from: number, to: number): number {
    let hash = this.#seed ^ Math.imul(directory + 1, 0x9e3779b1);
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #rehash(slots: number): void {
    this.#slots = new Uint32Array(slots).fill(EMPTY);
    const mask = slots - 1;
    for (let edge = 0; edge < this.#edges; edge++) {
      const start = this.#nameStarts[edge]!;
      const end = start + this.#nameLengths[edge]!;
      let slot = this.#hash(this.#directories[edge]!, this.#text, start, end) & mask;
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.#slots[slot] = edge;
    }
  }

  #growNodes(length: number): void {
    this.#chunks = resized(this.#chunks, length);
    this.#offsets = resized(this.#offsets, length);
    this.#modes = resized(this.#modes, length);
    this.#links = resized(this.#links, length);
    this.#names = resized(this.#names, length);
    this.#firsts = resized(this.#firsts, length);
    this.#lasts = resized(this.#lasts, length);
  }

  #growEdges(length: number): void {
    this.#directories = resized(this.#directories, length);
    this.#targets = resized(this.#targets, length);
    this.#nexts = resized(this.#nexts, length);
    this.#nameStarts = resized(this.#nameStarts, length);
    this.#nameLengths = resized(this.#nameLengths, length);
  }

  #nodeArrays() {
    return [this.#chunks, this.#offsets, this.#modes, this.#links, this.#names, this.#firsts, this.#lasts];
  }

  #edgeArrays() {
    return [this.#directories, this.#targets, this.#nexts, this.#nameStarts, this.#nameLengths];
  }
}

function resized<T extends Uint8Array | Uint16Array | Uint32Array>(array: T, length: number): T {
  const made = new (array.constructor as new (length: number) => T)(length);
  made.set(length < array.length ? array.subarray(0, length) : array);
  return made;
}
