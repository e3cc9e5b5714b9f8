/** Arguments of a request that a server has looked at: every one has the type and the size that its method asks for. */
import { ID_SIZE_BYTES } from '../repository/repository.ts';
import type { MsgpackValue } from '../msgpack/value.ts';
import { STRONG_CHECKSUM_BYTES } from '../util/strong-checksum.ts';
import type { RpcMethod, RpcParameter } from './rpc-methods.ts';

/** An argument that is missing, or not what the method takes. Borg's servers give Python's error of that name. */
export class RpcArgumentError extends Error {
  override readonly name = 'TypeError';
}

const MAX_BYTES = { id: ID_SIZE_BYTES, data: 20 * 1024 * 1024, key: 1024 * 1024, word: 64, path: 4096 };

export class RpcArguments {
  readonly #values = new Map<string, MsgpackValue>();

  /** Throws an RpcArgumentError. Names that the method does not have are left out. */
  constructor(method: RpcMethod, given: ReadonlyMap<string, MsgpackValue>) {
    for (const parameter of method.parameters) {
      const value = given.has(parameter.name) ? given.get(parameter.name) : parameter.fallback;
      if (value === undefined) {
        throw new RpcArgumentError(`${method.name}() needs the argument '${parameter.name}'`);
      }
      const isTaken = value === null ? parameter.optional === true : isOfKind(parameter, value);
      if (!isTaken) {
        throw new RpcArgumentError(
          `${method.name}() can't take the argument '${parameter.name}': a ${parameter.kind} is needed`,
        );
      }
      this.#values.set(parameter.name, value);
    }
  }

  bytes(name: string): Uint8Array {
    return this.#values.get(name) as Uint8Array;
  }

  optionalBytes(name: string): Uint8Array | undefined {
    return (this.#values.get(name) ?? undefined) as Uint8Array | undefined;
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  optionalFlag(name: string): boolean | undefined {
    return (this.#values.get(name) ?? undefined) as boolean | undefined;
  }

  number(name: string): number {
    return Number(this.#values.get(name));
  }

  optionalNumber(name: string): number | undefined {
    const value = this.#values.get(name) ?? undefined;
    return value === undefined ? undefined : Number(value);
  }

  bigint(name: string): bigint {
    return BigInt(this.#values.get(name) as number | bigint);
  }

  optionalBigint(name: string): bigint | undefined {
    const value = (this.#values.get(name) ?? undefined) as number | bigint | undefined;
    return value === undefined ? undefined : BigInt(value);
  }

  raw(name: string): MsgpackValue {
    return this.#values.get(name)!;
  }
}

function isOfKind({ kind }: RpcParameter, value: MsgpackValue): boolean {
  switch (kind) {
    case 'id':
      return value instanceof Uint8Array && value.length === ID_SIZE_BYTES;
    case 'checksum':
      return value instanceof Uint8Array && value.length === STRONG_CHECKSUM_BYTES;
    case 'data':
    case 'key':
    case 'word':
    case 'path':
      return value instanceof Uint8Array && value.length <= MAX_BYTES[kind];
    case 'flag':
      return typeof value === 'boolean';
    case 'count':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0;
    case 'nonce':
      return (typeof value === 'bigint' || Number.isSafeInteger(value)) && (value as number | bigint) >= 0;
    case 'seconds':
      return typeof value === 'number' && Number.isFinite(value) && value >= 0;
    case 'share':
      return typeof value === 'number' && value >= 0 && value <= 1;
    case 'version':
      return true;
  }
}
