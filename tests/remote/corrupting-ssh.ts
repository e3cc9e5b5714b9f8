/**
 * Stands in for ssh over a line on which messages change, and stay messages: CORRUPT names what happens to the requests and
 * answers of a client and a real server. The rest is as with fake-ssh, whose words it takes.
 */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { encode } from '../../src/msgpack/encode.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import type { MsgpackMap, MsgpackValue } from '../../src/msgpack/value.ts';
import { REQUEST_LIMITS, RESPONSE_LIMITS } from '../../src/remote/rpc-message.ts';
import { toUtf8Lossy } from '../../src/util/bytes.ts';

type Change = (message: MsgpackValue) => MsgpackValue;

let puts = 0;

const unchanged: Change = (message) => message;

/** The second PUT. */
const changedData: Change = (message) => {
  if (!(message instanceof Map) || toUtf8Lossy(message.get('m') as Uint8Array) !== 'put' || ++puts !== 2)
    return message;
  const args = message.get('a') as MsgpackMap;
  const data = Uint8Array.from(args.get('data') as Uint8Array);
  data[data.length >> 1]! ^= 0x10;
  return new Map([...message, ['a', new Map([...args, ['data', data]])]]);
};

/** As servers answer that know nothing of checksums. */
const oldServer: Change = (message) => {
  const version: unknown = Array.isArray(message) ? message[3] : undefined;
  if (!(version instanceof Map) || !version.has('server_version')) return message;
  const answer = message as readonly MsgpackValue[];
  return [
    ...answer.slice(0, 3),
    new Map([['server_version', version.get('server_version') as MsgpackValue]]),
  ];
};

const WAYS: Record<string, { readonly up: Change; readonly down: Change }> = {
  data: { up: changedData, down: unchanged },
  'old server': { up: unchanged, down: oldServer },
};

const way = WAYS[process.env['CORRUPT'] ?? ''];
if (way === undefined) throw new Error('CORRUPT must name a change');
const child = spawn(fileURLToPath(new URL('fake-ssh', import.meta.url)), process.argv.slice(2), {
  stdio: ['pipe', 'pipe', 'inherit'],
});
process.on('SIGINT', () => {});
pass(process.stdin, child.stdin, new Unpacker(REQUEST_LIMITS), way.up);
pass(child.stdout, process.stdout, new Unpacker(RESPONSE_LIMITS), way.down);
child.on('close', (code) => (process.exitCode = code ?? 1));

function pass(from: Readable, to: Writable, unpacker: Unpacker, change: Change): void {
  to.on('error', () => from.destroy());
  from.on('error', () => to.end());
  from.on('end', () => to.end());
  from.on('data', (piece: Uint8Array) => {
    unpacker.feed(piece);
    for (const message of unpacker) to.write(encode(change(message)));
  });
}
