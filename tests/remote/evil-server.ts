/**
 * A server that lies. It stands in for ssh: a real server runs behind it, and answers pass through one of these attacks,
 * which EVIL names.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encode } from '../../src/msgpack/encode.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import type { MsgpackMap, MsgpackValue } from '../../src/msgpack/value.ts';
import { decodeRequest, REQUEST_LIMITS, RESPONSE_LIMITS } from '../../src/remote/rpc-message.ts';

interface Answer {
  readonly method: string;
  /** Of the object asked for. */
  readonly isManifest: boolean;
  readonly value: MsgpackValue;
  readonly result: MsgpackValue;
  /** The answer with another result. */
  with(result: MsgpackValue): MsgpackValue;
}

type Attack = (answer: Answer) => MsgpackValue | undefined;

let held: MsgpackValue | undefined;
let last: MsgpackValue | undefined;
const replayFile = process.env['EVIL_FILE'] ?? '';
const isObject = ({ method, isManifest }: Answer) => method === 'get' && !isManifest;
const send = (value: MsgpackValue) => process.stdout.write(encode(value));
const bytesOf = ({ result }: Answer) => result as Uint8Array;

function onMethod(method: string, result: MsgpackValue): Attack {
  return (answer) => (answer.method === method ? answer.with(result) : answer.value);
}

const zeroIds = (count: number) => Array.from({ length: count }, () => new Uint8Array(32));

const attacks: Record<string, Attack> = {
  nothing: ({ value }) => value,
  'damaged object': (answer) => {
    if (!isObject(answer)) return answer.value;
    const data = bytesOf(answer).slice();
    data[data.length - 1]! ^= 1;
    return answer.with(data);
  },
  'another object': (answer) => {
    if (!isObject(answer)) return answer.value;
    const data = last ?? answer.result;
    last = answer.result;
    return answer.with(data);
  },
  'truncated object': (answer) =>
    isObject(answer) ? answer.with(bytesOf(answer).subarray(0, 50)) : answer.value,
  'old manifest': (answer) => {
    if (!answer.isManifest) return answer.value;
    if (!existsSync(replayFile)) writeFileSync(replayFile, bytesOf(answer));
    return answer.with(readFileSync(replayFile));
  },
  'lowered nonce': onMethod('get_free_nonce', 1),
  'another id': onMethod('open', new Uint8Array(32).fill(7)),
  'huge object': onMethod('get', new Uint8Array(22 * 1024 * 1024)),
  'object that is a number': onMethod('get', 5),
  'id that is too short': onMethod('open', new Uint8Array(31)),
  'ids that are none': onMethod('list', [1, 2]),
  'more ids than asked for': onMethod('list', zeroIds(1001)),
  'the same ids for ever': onMethod('list', zeroIds(100_000)),
  'negative count': onMethod('__len__', -1),
  'negative nonce': onMethod('get_free_nonce', -1),
  'key that is a list': onMethod('load_key', []),
  'check that is a text': onMethod('check', 'yes'),
  'version that is a text': onMethod('negotiate', 'one'),
  'unknown number': (answer) =>
    answer.method === 'get' ? encodeWith(answer.value, (id) => id + 1000) : answer.value,
  'number that is a text': (answer) =>
    answer.method === 'get' ? { i: 'x', r: answer.result } : answer.value,
  'answer given twice': (answer) => {
    if (answer.method === 'get') send(answer.value);
    return answer.value;
  },
  'answers in another order': (answer) => {
    if (answer.method !== 'get') return answer.value;
    if (held === undefined) {
      held = answer.value;
      return undefined;
    }
    send(answer.value);
    return held;
  },
  'endless object': (answer) => {
    if (answer.method !== 'get') return answer.value;
    process.stdout.write(Uint8Array.of(0x82, 0xa1, 0x72, 0xdb, 0xff, 0xff, 0xff, 0xff));
    flood(process.stdout);
    return undefined;
  },
  'endless log line': (answer) => {
    if (answer.method !== 'get') return answer.value;
    for (let count = 0; count < 64; count++) process.stderr.write('x'.repeat(2 ** 20));
    process.stderr.write('\n\u001b[31mred\r\n');
    return answer.value;
  },
  'hostile error': (answer) => {
    if (answer.method !== 'get') return answer.value;
    const id = (answer.value as MsgpackMap).get('i')!;
    const text = '\u001b]0;title\u0007' + 'x'.repeat(100_000);
    const shown = { exception_full: [text], exception_short: [text], exception_trace: true, sysinfo: text };
    return { i: id, exception_class: text, exception_args: [text], ...shown };
  },
  'nothing any more': (answer) => {
    if (answer.method !== 'get') return answer.value;
    process.exit(0);
  },
};

function encodeWith(value: MsgpackValue, change: (id: number) => number): MsgpackValue {
  const map = new Map(value as MsgpackMap);
  return map.set('i', change(map.get('i') as number));
}

function flood(stream: NodeJS.WriteStream): void {
  const piece = new Uint8Array(2 ** 18);
  const more = () => {
    while (stream.write(piece));
    stream.once('drain', more);
  };
  stream.on('error', () => process.exit(0));
  more();
}

const attack = attacks[process.env['EVIL'] ?? 'nothing']!;
const child = spawn(fileURLToPath(new URL('fake-ssh', import.meta.url)), process.argv.slice(2), {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const asked = new Map<number, Pick<Answer, 'method' | 'isManifest'>>();
const requests = new Unpacker(REQUEST_LIMITS);
const responses = new Unpacker(RESPONSE_LIMITS);

process.on('SIGINT', () => {});
process.stdout.on('error', () => process.exit(0));
process.stdin.on('data', (piece: Uint8Array) => {
  requests.feed(piece);
  for (const value of requests) {
    const { id, method, args } = decodeRequest(value);
    const object = args instanceof Map ? (args.get('id') as Uint8Array | undefined) : undefined;
    asked.set(id, { method, isManifest: method === 'get' && object!.every((byte) => byte === 0) });
  }
  child.stdin.write(piece);
});
process.stdin.on('end', () => child.stdin.end());
child.stdin.on('error', () => {});
child.stdout.on('data', (piece: Uint8Array) => {
  responses.feed(piece);
  for (const value of responses) {
    const isNamed = value instanceof Map;
    const id = (isNamed ? value.get('i') : (value as readonly MsgpackValue[])[1]) as number;
    const result = isNamed ? value.get('r') : (value as readonly MsgpackValue[])[3];
    const replaced = (other: MsgpackValue) =>
      isNamed ? new Map(value).set('r', other) : [1, id, null, other];
    const isError = result === undefined;
    const answered = isError ? value : attack({ ...asked.get(id)!, value, result, with: replaced });
    if (answered !== undefined) send(answered);
  }
});
child.on('close', (code) => (process.exitCode = code ?? 1));
