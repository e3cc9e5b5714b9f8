/**
 * The methods that a client may call: their parameters in order, since which version a server has them, and what a server
 * takes for each. Names are Borg's; a server ignores names that it does not know.
 *
 * | method                   | parameters                                                                    | gives        |
 * |--------------------------|-------------------------------------------------------------------------------|--------------|
 * | negotiate                | client_data                                                                   | version      |
 * | open                     | path create lock_wait lock exclusive append_only make_parent_dirs             | id           |
 * | check                    | repair save_space max_duration checksums                                      | boolean      |
 * | commit                   | save_space compact threshold cleanup_commits                                  | nil          |
 * | rollback destroy         |                                                                               | nil          |
 * | __len__                  |                                                                               | integer      |
 * | list scan                | limit marker                                                                  | array of ids |
 * | get                      | id                                                                            | raw          |
 * | put                      | id data wait checksum                                                         | nil          |
 * | delete                   | id wait                                                                       | nil          |
 * | load_key                 |                                                                               | raw          |
 * | save_key                 | keydata                                                                       | nil          |
 * | get_free_nonce           |                                                                               | integer, nil |
 * | commit_nonce_reservation | next_unreserved start_nonce                                                   | nil          |
 * | break_lock               |                                                                               | nil          |
 * | inject_exception         | kind; raises that exception, for tests of clients                             | nil          |
 *
 * What Borg does not have: `checksum` of put, 16 bytes, which the server verifies before it stores the data
 * (src/util/strong-checksum.ts), and `checksums` of check. A client uses them only where both sides have said in negotiate()
 * that they know them: client_data and the version that is given are maps, in which `checksums` names the algorithm. Borg
 * looks for nothing but the versions in them.
 *
 * Source: Borg 1.4.5 remote.py, compatMap, RepositoryServer.rpc_methods and the @api stubs of RemoteRepository.
 */
import type { MsgpackValue } from '../msgpack/value.ts';
import { toUtf8Lossy } from '../util/bytes.ts';
import { parseWireVersion, type WireVersion } from './wire-version.ts';

/**
 * What a server takes: `id` 32 bytes; `checksum` 16 bytes; `data`, `key`, `word` and `path` bytes; `count` an integer from 0; `seconds` and
 * `share` numbers; `version` anything, which negotiate() looks at itself.
 */
export type RpcParameterKind =
  | 'id'
  | 'checksum'
  | 'data'
  | 'key'
  | 'word'
  | 'path'
  | 'flag'
  | 'count'
  | 'nonce'
  | 'seconds'
  | 'share'
  | 'version';

export interface RpcParameter {
  readonly name: string;
  readonly kind: RpcParameterKind;
  /** What holds where it is absent; without it, it must not be. */
  readonly fallback?: MsgpackValue;
  /** nil is taken, too. */
  readonly optional?: boolean;
  /** Not of the first release that has the method. */
  readonly since?: WireVersion;
  /** What older servers do anyway. */
  readonly previously?: MsgpackValue;
  /** An older server may be called without it. */
  readonly dispensable?: boolean;
}

export interface RpcMethod {
  readonly name: string;
  readonly since: WireVersion;
  readonly parameters: readonly RpcParameter[];
  /** How many of them the positional form has; Borg 1.0 doesn't know the others. Undefined: none of the method. */
  readonly positional: number | undefined;
}

/** What `checksums` names in negotiate(). */
export const CHECKSUM_ALGORITHM = 'aes-128-gmac';

const V1_0 = parseWireVersion('1.0.0');

const flag = (name: string, fallback: boolean | null = false): RpcParameter => ({
  name,
  kind: 'flag',
  fallback,
  optional: true,
});
const id = { name: 'id', kind: 'id' } as const;
const page: readonly RpcParameter[] = [
  { name: 'limit', kind: 'count', fallback: null, optional: true },
  { name: 'marker', kind: 'id', fallback: null, optional: true },
];

function method(name: string, parameters: readonly RpcParameter[] = [], positional = parameters.length) {
  return { name, since: V1_0, parameters, positional } satisfies RpcMethod;
}

const METHODS: readonly RpcMethod[] = [
  method('negotiate', [{ name: 'client_data', kind: 'version', optional: true }]),
  method(
    'open',
    [
      { name: 'path', kind: 'path' },
      flag('create'),
      { name: 'lock_wait', kind: 'seconds', fallback: null, optional: true },
      flag('lock', true),
      flag('exclusive', null),
      { ...flag('append_only'), since: parseWireVersion('1.0.7'), previously: false },
      { ...flag('make_parent_dirs'), since: parseWireVersion('1.1.9'), previously: false },
    ],
    6,
  ),
  method(
    'check',
    [
      flag('repair'),
      flag('save_space'),
      {
        name: 'max_duration',
        kind: 'seconds',
        fallback: 0,
        since: parseWireVersion('1.2.0a4'),
        previously: 0,
      },
      flag('checksums'),
    ],
    2,
  ),
  method(
    'commit',
    [
      flag('save_space'),
      {
        ...flag('compact', true),
        since: parseWireVersion('1.2.0a0'),
        previously: true,
        dispensable: true,
      },
      {
        name: 'threshold',
        kind: 'share',
        fallback: 0.1,
        since: parseWireVersion('1.2.0a8'),
        previously: 0.1,
        dispensable: true,
      },
      {
        ...flag('cleanup_commits'),
        since: parseWireVersion('1.2.0a0'),
        previously: false,
        dispensable: true,
      },
    ],
    1,
  ),
  method('rollback'),
  method('destroy'),
  method('__len__'),
  method('list', page),
  { ...method('scan', page), since: parseWireVersion('1.1.0b3'), positional: undefined },
  method('get', [id]),
  method(
    'put',
    [
      id,
      { name: 'data', kind: 'data' },
      flag('wait', true),
      { name: 'checksum', kind: 'checksum', fallback: null, optional: true },
    ],
    2,
  ),
  method('delete', [id, flag('wait', true)], 1),
  method('load_key'),
  method('save_key', [{ name: 'keydata', kind: 'key' }]),
  method('get_free_nonce'),
  method('commit_nonce_reservation', [
    { name: 'next_unreserved', kind: 'nonce' },
    { name: 'start_nonce', kind: 'nonce', optional: true },
  ]),
  method('break_lock'),
  {
    ...method('inject_exception', [{ name: 'kind', kind: 'word' }]),
    positional: undefined,
  },
];

const byName: ReadonlyMap<string, RpcMethod> = new Map(METHODS.map((entry) => [entry.name, entry]));

/** Whether the other side says in negotiate() that it knows checksums. */
export function knowsChecksums(said: ReadonlyMap<unknown, MsgpackValue>): boolean {
  const value = said.get('checksums');
  return value instanceof Uint8Array && toUtf8Lossy(value) === CHECKSUM_ALGORITHM;
}

/** Undefined where there is no such method. */
export function rpcMethod(name: string): RpcMethod | undefined {
  return byName.get(name);
}

export function rpcMethodNames(): string[] {
  return [...byName.keys()];
}

/** Arguments of the positional form by name; undefined where there are too few of them. */
export function namedArguments(
  { name, parameters, positional }: RpcMethod,
  args: readonly MsgpackValue[],
): Map<string, MsgpackValue> | undefined {
  if (positional === undefined) return undefined;
  // Clients before 1.0.7 know no append_only, and give no value for what stands in front of it.
  const known = name === 'open' && args.length === 4 ? 4 : positional;
  if (args.length < known) return undefined;
  return new Map(parameters.slice(0, known).map((parameter, index) => [parameter.name, args[index]!]));
}

/** The other way round; a name that is missing counts as its fallback, or nil. */
export function positionalArguments(
  { parameters, positional = 0 }: RpcMethod,
  args: ReadonlyMap<string, MsgpackValue>,
): MsgpackValue[] {
  return parameters
    .slice(0, positional)
    .map(({ name, fallback }) => (args.has(name) ? args.get(name)! : (fallback ?? null)));
}
