/** The two directions of bytes between a server and its client. */
import { StreamWriter } from '../platform/stream-writer.ts';

export interface RpcWire {
  /** What comes in, in pieces, until the other side has sent all that it will. */
  pieces(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Settles when all of it is on its way; throws EPIPE where nobody will read it. */
  write(bytes: Uint8Array): Promise<void>;
  /** Whether the other side has gone, as far as that can be seen without sending anything. */
  isAbandoned(): boolean;
  close(): void;
}

/** Standard input and output of this process. */
export function standardWire(signal: AbortSignal): RpcWire {
  const writer = new StreamWriter(1, signal);
  return {
    pieces: standardInput,
    write: (bytes) => writer.write(bytes),
    isAbandoned: () => writer.isAbandoned(),
    close: () => writer.close(),
  };
}

async function* standardInput(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { stdin } = process;
  const stop = () => stdin.destroy(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    for await (const piece of stdin) yield piece as Buffer;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
