/**
 * Messages between client and server, msgpack values that follow each other without anything in between. A client sends
 * requests and may send more before the answers to the first have come; a server answers in their order.
 *
 * Named form, since Borg 1.1 (the server has given a `server_version`); keys in this order:
 *
 * | message   | key               | value                                                                       |
 * |-----------|-------------------|-----------------------------------------------------------------------------|
 * | request   | `i`               | integer, the message's number, counted by the client from 1                 |
 * |           | `m`               | raw, the method                                                             |
 * |           | `a`               | map from parameter name to value                                            |
 * | response  | `i`               | the number of the request                                                   |
 * |           | `r`               | what the method gave; absent in an error                                    |
 * | error     | `i`               | the number of the request                                                   |
 * |           | `exception_class` | raw, name of the class without its qualification                            |
 * |           | `exception_args`  | array of its arguments: raw, integer or nil                                 |
 * |           | `exception_full`  | array of raw, the lines of the stack                                        |
 * |           | `exception_short` | array of raw, the lines of the message                                      |
 * |           | `exception_trace` | boolean, whether the stack is to be shown                                   |
 * |           | `sysinfo`         | raw, lines about the server                                                 |
 *
 * Positional form, clients and servers of Borg 1.0 and the first request (`negotiate`) of any client:
 *
 * | message   | array of four                                                                                   |
 * |-----------|-------------------------------------------------------------------------------------------------|
 * | request   | 1, number, method, array of arguments                                                           |
 * | response  | 1, number, nil, what the method gave                                                            |
 * | error     | 1, number, class name, a fixed text                                                             |
 *
 * A server answers each request in the form in which it came. What breaks these rules gives an RpcFormatError.
 *
 * Source: Borg 1.4.5 remote.py, RepositoryServer.serve() and RemoteRepository.call_many(); helpers/msgpack.py,
 * get_limited_unpacker().
 */
import { encode } from '../msgpack/encode.ts';
import type { UnpackLimits } from '../msgpack/unpacker.ts';
import { OBJECT_LIMITS } from '../msgpack/unpacker.ts';
import type { MsgpackMap, MsgpackValue } from '../msgpack/value.ts';
import { toUtf8Lossy } from '../util/bytes.ts';

export type RpcForm = 'named' | 'positional';

export interface RpcRequest {
  readonly id: number;
  readonly method: string;
  /** By name, or in the order of the method's parameters (rpc-methods.ts). */
  readonly args: ReadonlyMap<string, MsgpackValue> | readonly MsgpackValue[];
}

export type RpcArgument = string | number | bigint | boolean | null;

export interface RpcException {
  readonly className: string;
  /** Undefined from a server of Borg 1.0. */
  readonly args: readonly RpcArgument[] | undefined;
  readonly full: readonly string[];
  readonly short: readonly string[];
  readonly trace: boolean;
  readonly sysinfo: string;
}

export type RpcResponse =
  | { readonly id: number; readonly result: MsgpackValue; readonly exception?: undefined }
  | { readonly id: number; readonly exception: RpcException };

/** A complete msgpack value that is no message. */
export class RpcFormatError extends Error {
  override readonly name = 'RpcFormatError';
}

const MAX_OBJECT_BYTES = 20 * 1024 * 1024;
const MAX_METHOD_BYTES = 64;
const MAX_SHOWN_BYTES = 64 * 1024;
const ERROR_TEXT = 'Remote Exception (see remote log for the traceback)';

/** What one read may bring at once. */
export const PIECE_BYTES = 1024 * 1024;

/** For what a server reads: the largest is one object and its id. */
export const REQUEST_LIMITS: Readonly<Required<UnpackLimits>> = {
  maxBufferBytes: MAX_OBJECT_BYTES + 64 * 1024 + PIECE_BYTES,
  maxStrLen: MAX_OBJECT_BYTES,
  maxArrayLen: 16,
  maxMapLen: 32,
  maxDepth: 6,
  maxMaps: 8,
  maxValues: 200,
  maxValueBytes: MAX_OBJECT_BYTES + 64 * 1024,
};

/** For what a client reads: the largest is a list of ids. */
export const RESPONSE_LIMITS: Readonly<Required<UnpackLimits>> = {
  maxBufferBytes: OBJECT_LIMITS.maxBufferBytes,
  maxStrLen: OBJECT_LIMITS.maxBufferBytes,
  maxArrayLen: 2 ** 21,
  maxMapLen: 32,
  maxDepth: 6,
  maxMaps: 8,
  maxValues: 2 ** 21 + 200,
  maxValueBytes: OBJECT_LIMITS.maxBufferBytes,
};

export function encodeRequest(request: RpcRequest): Uint8Array {
  const { id, method, args } = request;
  if (!isNamed(args)) return encode([1, id, method, args]);
  return encode({ i: id, m: method, a: new Map(args) });
}

/** The request's form is that of its arguments. */
export function decodeRequest(value: MsgpackValue): RpcRequest {
  if (value instanceof Map) {
    const args = value.get('a');
    if (!(args instanceof Map)) throw new RpcFormatError('a request without a map of arguments');
    return { id: messageId(value.get('i')), method: methodName(value.get('m')), args: namesOf(args) };
  }
  const [, id, method, args] = fourOf(value);
  if (!Array.isArray(args)) throw new RpcFormatError('a request without an array of arguments');
  return { id: messageId(id), method: methodName(method), args };
}

export function isNamed(args: RpcRequest['args']): args is ReadonlyMap<string, MsgpackValue> {
  return !Array.isArray(args);
}

export function encodeResponse(form: RpcForm, response: RpcResponse): Uint8Array {
  const { id, exception } = response;
  if (exception === undefined) {
    return encode(form === 'named' ? { i: id, r: response.result } : [1, id, null, response.result]);
  }
  if (form === 'positional') return encode([1, id, exception.className, ERROR_TEXT]);
  return encode({
    i: id,
    exception_class: exception.className,
    exception_args: exception.args ?? [],
    exception_full: exception.full,
    exception_short: exception.short,
    exception_trace: exception.trace,
    sysinfo: exception.sysinfo,
  });
}

export function decodeResponse(value: MsgpackValue): RpcResponse {
  if (!(value instanceof Map)) {
    const [, id, className, result] = fourOf(value);
    // As in Borg: no class, or an empty one, is no error.
    const none = className === null || (className instanceof Uint8Array && className.length === 0);
    if (none) return { id: messageId(id), result: result! };
    return { id: messageId(id), exception: { ...NOTHING_KNOWN, className: text(className) } };
  }
  const id = messageId(value.get('i'));
  const className = value.get('exception_class');
  if (className !== undefined) return { id, exception: decodeException(text(className), value) };
  const result = value.get('r');
  if (result === undefined) throw new RpcFormatError('neither a result nor an error');
  return { id, result };
}

const NOTHING_KNOWN = { args: undefined, full: [], short: [], trace: true, sysinfo: '' };

function decodeException(className: string, map: MsgpackMap): RpcException {
  const args = map.get('exception_args');
  return {
    className,
    args: args === undefined ? undefined : listOf(args).map(argument),
    full: listOf(map.get('exception_full')).map(text),
    short: listOf(map.get('exception_short')).map(text),
    trace: map.get('exception_trace') !== false,
    sysinfo: map.has('sysinfo') ? text(map.get('sysinfo')) : '',
  };
}

/** The four elements of the positional form. */
function fourOf(value: MsgpackValue): readonly MsgpackValue[] {
  if (Array.isArray(value) && value.length === 4) return value as readonly MsgpackValue[];
  throw new RpcFormatError('neither a map nor an array of four');
}

function messageId(value: MsgpackValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new RpcFormatError('the number of a message is no integer');
}

function methodName(value: MsgpackValue | undefined): string {
  if (!(value instanceof Uint8Array)) throw new RpcFormatError('the name of a method is no text');
  if (value.length > MAX_METHOD_BYTES) throw new RpcFormatError('the name of a method is too long');
  return toUtf8Lossy(value);
}

function namesOf(args: MsgpackMap): ReadonlyMap<string, MsgpackValue> {
  for (const name of args.keys()) {
    if (typeof name !== 'string') throw new RpcFormatError('the name of an argument is no text');
  }
  return args as ReadonlyMap<string, MsgpackValue>;
}

function listOf(value: MsgpackValue | undefined): readonly MsgpackValue[] {
  return Array.isArray(value) ? (value as readonly MsgpackValue[]) : [];
}

function argument(value: MsgpackValue): RpcArgument {
  if (value instanceof Uint8Array) return text(value);
  return value !== null && typeof value === 'object' ? null : value;
}

function text(value: MsgpackValue | undefined): string {
  if (value instanceof Uint8Array) return toUtf8Lossy(value.subarray(0, MAX_SHOWN_BYTES));
  throw new RpcFormatError('a text of an error is no text');
}
