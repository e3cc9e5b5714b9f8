import { buzhashTable, leavingTable } from './buzhash-table.ts';
import { BUZHASH_WASM } from './buzhash.wasm.ts';

/** The rolling hash over its own memory. Positions count from the beginning of `buffer`. */
export interface BuzhashKernel {
  /** Holds the data. */
  readonly buffer: Uint8Array;
  /** Sums up the window at `position`. */
  start(position: number): void;
  /** The next position before `stop` where the sum says cut, else `stop`; continues from the last result. */
  scan(position: number, stop: number): number;
}

/** Exports of buzhash.as.ts. */
interface Exports {
  readonly start: (position: number, windowSize: number) => void;
  readonly scan: (position: number, stop: number, windowSize: number, mask: number) => number;
}

/** The part of the WebAssembly API in use; TypeScript declares it only together with all of the browser. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
}

/** Where the data begins in the kernel's memory, after its two tables. */
const DATA_OFFSET = 4096;
const PAGE_SIZE = 65_536;

export function createBuzhashKernel(
  options: { readonly seed: number; readonly maskBits: number; readonly windowSize: number },
  capacityBytes: number,
): BuzhashKernel {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const memory = new WebAssembly.Memory({ initial: Math.ceil((DATA_OFFSET + capacityBytes) / PAGE_SIZE) });
  const module = new WebAssembly.Module(Buffer.from(BUZHASH_WASM, 'base64'));
  const { start, scan } = new WebAssembly.Instance(module, { env: { memory } }).exports;

  const table = buzhashTable(options.seed);
  new Uint32Array(memory.buffer, 0, 256).set(table);
  new Uint32Array(memory.buffer, 1024, 256).set(leavingTable(table, options.windowSize));

  const { windowSize } = options;
  const mask = 2 ** options.maskBits - 1;
  return {
    buffer: new Uint8Array(memory.buffer, DATA_OFFSET, capacityBytes),
    start: (position) => start(DATA_OFFSET + position, windowSize),
    scan: (position, stop) =>
      scan(DATA_OFFSET + position, DATA_OFFSET + stop, windowSize, mask) - DATA_OFFSET,
  };
}
