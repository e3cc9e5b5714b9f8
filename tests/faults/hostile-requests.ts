/** What a client might send that means harm, or is broken: requests that are sound, wrong, damaged or cut up. */
import { encode } from '../../src/msgpack/encode.ts';
import type { MsgpackValue } from '../../src/msgpack/value.ts';
import { encodeRequest } from '../../src/remote/rpc-message.ts';
import {
  CHECKSUM_ALGORITHM,
  rpcMethod,
  rpcMethodNames,
  type RpcParameter,
} from '../../src/remote/rpc-methods.ts';
import { concatBytes, fromHex } from '../../src/util/bytes.ts';
import { STRONG_CHECKSUM_BYTES, strongChecksum } from '../../src/util/strong-checksum.ts';
import { noise } from '../noise.ts';
import type { Random } from '../random.ts';
import { dataOf, idOf } from '../repository/fakes.ts';

export const DAMAGE_KINDS = [
  'sound',
  'wrong arguments',
  'wrong form',
  'bits flipped',
  'cut off',
  'garbage within',
  'huge lengths',
  'parts swapped',
] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

export const REPOSITORY_PATH = '/srv/repo';

const ODD_PATHS = [
  '/srv/new',
  '/srv/repo/x',
  '/srv',
  '/',
  '/etc',
  '/srv/../etc',
  '/./x',
  '/~/x',
  '~',
  '/~root/x',
  '',
];
const MAX_REQUESTS = 12;

/** Headers that announce more than will ever come, and values that nest. */
const HUGE = [
  'dbffffffff',
  'daffff',
  'ddffffffff',
  'dcffff',
  'dfffffffff',
  'deffff',
  'c6ffffffff',
  'c9ffffffff7f',
];
const NEST_BYTES = 3000;

export interface HostileStream {
  readonly bytes: Uint8Array;
  /** The numbers of the requests, where all of them are sound messages. */
  readonly ids: readonly number[] | undefined;
  readonly methods: readonly string[];
}

export function hostileStream(kind: DamageKind, random: Random): HostileStream {
  const count = 1 + random.integer(MAX_REQUESTS);
  const oddness = kind === 'wrong arguments' ? 0.3 : 0;
  const requests = Array.from({ length: count }, (_, n) => randomRequest(n, oddness, random));
  const ids = requests.map(({ id }) => id);
  const methods = requests.map(({ method }) => method);
  const parts = requests.map(encodeRequest);
  if (kind === 'wrong form') parts[random.integer(count)] = encode(randomValue(random, 3));
  if (kind === 'sound' || kind === 'wrong arguments') return { bytes: concatBytes(parts), ids, methods };
  return { bytes: damaged(kind, parts, random), ids: undefined, methods };
}

function randomRequest(number: number, oddness: number, random: Random) {
  const names = rpcMethodNames();
  let method = names[random.integer(names.length)]!;
  if (number < 2 && random.next() < 0.9) method = number === 0 ? 'negotiate' : 'open';
  if (random.next() < oddness / 4) method = ['shutdown', '__class__', 'constructor', ''][random.integer(4)]!;
  const parameters = rpcMethod(method)?.parameters ?? [];
  const values = parameters.map((parameter): [string, MsgpackValue] => [
    parameter.name,
    random.next() < oddness ? randomValue(random, 2) : soundValue(method, parameter, random),
  ]);
  if (method === 'put' && random.next() < 0.3) {
    const data = new Map(values).get('data');
    if (data instanceof Uint8Array) values.push(['checksum', strongChecksum(data)]);
  }
  const isPositional = random.next() < 0.2;
  const kept = values.filter(() => random.next() >= oddness / 3);
  return { id: number + 1, method, args: isPositional ? kept.map(([, value]) => value) : new Map(kept) };
}

function soundValue(method: string, { kind, name }: RpcParameter, random: Random): MsgpackValue {
  const few = random.integer(5);
  switch (kind) {
    case 'id':
      return method === 'list' || method === 'scan' ? null : idOf(few);
    case 'checksum':
      return [null, strongChecksum(dataOf(0, 0)), dataOf(0, STRONG_CHECKSUM_BYTES), null, null][few]!;
    case 'data':
      return dataOf(few, random.integer(300));
    case 'key':
      return ['YWJj', 'YWJj\nZGVm', '', 'x\rappend_only = 1', '# no'][few]!;
    case 'word':
      return ['IntegrityError', 'divide', 'PathNotAllowed', 'toString', ''][few]!;
    case 'path':
      return random.next() < 0.9 ? REPOSITORY_PATH : ODD_PATHS[random.integer(ODD_PATHS.length)]!;
    case 'flag':
      return name === 'lock' ? few > 0 : few === 0;
    case 'count':
      return [null, 0, 1, 100_000, 2 ** 40][few]!;
    case 'nonce':
      return [null, 0, 1, 2n ** 63n, 5][few]!;
    case 'seconds':
      return [0, 1, 0.5, 0, 0][few]!;
    case 'share':
      return few / 4;
    case 'version':
      if (few === 0) return 2;
      return { client_version: [1, few, 5, -1], checksums: few === 1 ? CHECKSUM_ALGORITHM : few };
  }
}

function randomValue(random: Random, depth: number): MsgpackValue {
  const children = () => Array.from({ length: random.integer(5) }, () => randomValue(random, depth - 1));
  switch (random.integer(depth > 0 ? 10 : 8)) {
    case 0:
      return null;
    case 1:
      return random.next() < 0.5;
    case 2:
      return random.integer(2 ** 31) - 2 ** 30;
    case 3:
      return [2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n][random.integer(3)]!;
    case 4:
      return [0.5, NaN, Infinity, -0, 1e308][random.integer(5)]!;
    case 5:
      return noise(random.integer(80), 1 + random.integer(2 ** 31));
    case 6:
      return idOf(random.integer(5));
    case 7:
      return 'x'.repeat(random.integer(5000));
    case 8:
      return children();
    default:
      return new Map(children().map((child, n) => [random.next() < 0.7 ? `key${n}` : n, child]));
  }
}

function damaged(kind: DamageKind, parts: Uint8Array[], random: Random): Uint8Array {
  const bytes = concatBytes(parts);
  const at = random.integer(bytes.length);
  switch (kind) {
    case 'bits flipped':
      for (let n = random.integer(4); n >= 0; n--)
        bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      return bytes;
    case 'cut off':
      return bytes.subarray(0, at);
    case 'garbage within':
      return spliced(
        bytes,
        at,
        noise(1 + random.integer(200), 1 + random.integer(2 ** 31)),
        random.integer(50),
      );
    case 'huge lengths': {
      const nest = new Uint8Array(NEST_BYTES).fill([0x91, 0x81, 0x9f, 0xc7][random.integer(4)]!);
      const huge = random.next() < 0.3 ? nest : fromHex(HUGE[random.integer(HUGE.length)]!);
      return spliced(bytes, at, huge, random.integer(3));
    }
    case 'parts swapped': {
      const end = at + random.integer(bytes.length - at);
      return concatBytes([bytes.subarray(0, at), bytes.subarray(end), bytes.subarray(at, end)]);
    }
    default:
      return bytes;
  }
}

function spliced(bytes: Uint8Array, at: number, insert: Uint8Array, removed: number): Uint8Array {
  return concatBytes([bytes.subarray(0, at), insert, bytes.subarray(at + removed)]);
}
