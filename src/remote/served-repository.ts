/** What each method of the protocol does with a repository. What comes out goes to the client as it is. */
import { GeneralError, IntegrityError } from '../errors.ts';
import type { MsgpackValue } from '../msgpack/value.ts';
import type { Repository } from '../repository/repository.ts';
import { equalBytes, fromUtf8, toHex, toUtf8Lossy } from '../util/bytes.ts';
import { strongChecksum } from '../util/strong-checksum.ts';
import type { RpcArguments } from './rpc-arguments.ts';

type Call = (repository: Repository, args: RpcArguments) => Promise<MsgpackValue>;

/** By the names of rpc-methods.ts; negotiate, open and inject_exception are the server's own. */
const CALLS: Readonly<Record<string, Call>> = {
  __len__: (repository) => repository.count(),
  list: (repository, args) => repository.list(args.optionalNumber('limit'), args.optionalBytes('marker')),
  scan: (repository, args) => repository.scan(args.optionalNumber('limit'), args.optionalBytes('marker')),
  get: (repository, args) => repository.get(args.bytes('id')),
  delete: async (repository, args) => nothing(await repository.delete(args.bytes('id'))),
  load_key: async (repository) => fromUtf8(await repository.loadKey()),
  save_key: async (repository, args) => nothing(await repository.saveKey(keyText(args.bytes('keydata')))),
  rollback: async (repository) => nothing(await repository.rollback()),
  destroy: async (repository) => nothing(await repository.destroy()),
  break_lock: async (repository) => nothing(await repository.breakLock()),
  get_free_nonce: async (repository) => (await repository.getFreeNonce()) ?? null,

  async put(repository, args) {
    const id = args.bytes('id');
    const data = args.bytes('data');
    const checksum = args.optionalBytes('checksum');
    if (checksum !== undefined && !equalBytes(strongChecksum(data), checksum)) throw changedOnItsWay(id);
    return nothing(await repository.put(id, data, checksum));
  },

  async commit_nonce_reservation(repository, args) {
    const startNonce = args.optionalBigint('start_nonce');
    return nothing(await repository.commitNonceReservation(args.bigint('next_unreserved'), startNonce));
  },

  async commit(repository, args) {
    const cleanupCommits = args.flag('cleanup_commits');
    const threshold = args.number('threshold');
    return nothing(await repository.commit({ compact: args.flag('compact'), threshold, cleanupCommits }));
  },

  async check(repository, args) {
    const repair = args.flag('repair');
    const saveSpace = args.flag('save_space');
    const maxDurationSeconds = args.number('max_duration');
    const checksums = args.flag('checksums');
    return (await repository.check({ repair, saveSpace, maxDurationSeconds, checksums })).ok;
  },
};

function changedOnItsWay(id: Uint8Array): IntegrityError {
  return new IntegrityError([
    `object ${toHex(id)} did not reach the server as it was sent, and was not stored. Try again; if this happens more ` +
      'than once, have the memory of both machines and the connection tested',
  ]);
}

/** Base64 in lines. In the repository's config anything else could become another setting. */
function keyText(keydata: Uint8Array): string {
  const text = toUtf8Lossy(keydata).replaceAll(/\r\n?/g, '\n');
  if (/^[A-Za-z0-9+/= \t\n]*$/.test(text)) return text;
  throw new GeneralError(['save_key: a key is base64, in lines']);
}

function nothing(_value: void): null {
  return null;
}

export async function callRepository(
  repository: Repository | undefined,
  name: string,
  args: RpcArguments,
): Promise<MsgpackValue> {
  if (repository === undefined) throw new GeneralError([`${name}: no repository is open on this connection`]);
  return CALLS[name]!(repository, args);
}
