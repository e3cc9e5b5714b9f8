/** What runs when the program is started: the real streams, clock and signals around `main`. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { EXIT_ERROR } from './exit-code.ts';
import { SignalReceived, type CliIo, type Identity, type StopSignal } from './io.ts';
import { StreamOutput } from './output/stream-output.ts';
import { commandArguments, programName } from './program-name.ts';
import { isDamaged, lastArguments } from './raw-arguments.ts';
import { isBackground } from '../platform/background-variable.ts';
import type { StreamWriter } from '../platform/stream-writer.ts';
import { nowNs } from '../platform/clock.ts';
import { endProcessNow } from '../platform/end-process.ts';
import { keepHeapsSmall } from '../platform/heap.ts';
import { programWord } from '../platform/program-word.ts';
import { versionText } from './version.ts';

keepHeapsSmall();

const ownName = programName([process.argv0, process.argv[1]], process.env);
const isBackgroundProcess = isBackground(process.env);
const argv = commandArguments(readArguments(), [process.argv0, process.argv[1]]);

const signalCodes: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const stdout = new StreamOutput({
  isTerminal: isatty(1),
  columns: () => columnsFromEnv() ?? process.stdout.columns,
  writeAll: (data) => writeAll(1, data),
  writeMuch: async (data, signal) => {
    const { StreamWriter } = await import('../platform/stream-writer.ts');
    slowStdout ??= new StreamWriter(1, signal);
    await slowStdout.write(data);
  },
});

let slowStdout: StreamWriter | undefined;

const stderr = new StreamOutput({
  isTerminal: isatty(2),
  columns: () => columnsFromEnv() ?? process.stderr.columns,
  writeAll: (data) => writeAll(2, data),
  beforeWrite: () => stdout.flush(),
});

/** What the program says goes out at once, in the order in which it was said. */
const immediateStderr = {
  isTerminal: stderr.isTerminal,
  get columns() {
    return stderr.columns;
  },
  write(data: string | Uint8Array): void {
    stdout.flush();
    stderr.write(data);
    stderr.flush();
  },
};

function columnsFromEnv(): number | undefined {
  const columns = Number(process.env['COLUMNS']);
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}

function writeAll(fd: number, data: Uint8Array): void {
  for (let offset = 0; offset < data.length;) {
    try {
      offset += writeSync(fd, data, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function readArguments(): string[] {
  const argv = process.argv.slice(2);
  if (!isDamaged(argv)) return argv;
  try {
    // Who started this one in the background could not hand on what is no text; it is there still.
    const pid = isBackgroundProcess ? process.ppid : 'self';
    return lastArguments(readFileSync(`/proc/${pid}/cmdline`), argv.length);
  } catch {
    return argv;
  }
}

/** One key press may come twice: from the terminal, and from a process that passes it on. */
const SAME_SIGNAL_MS = 200;

/** The first signal asks the work to stop; the second ends the process. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  for (const name of Object.keys(signalCodes) as StopSignal[]) {
    process.on(name, () => {
      if (controller.signal.aborted) {
        if (performance.now() - firstMs <= SAME_SIGNAL_MS) return;
        stdout.flush();
        endProcessNow(signalCodes[name]);
      }
      firstMs = performance.now();
      controller.abort(new SignalReceived(name));
    });
  }
  return controller.signal;
}

let answerInquiry: (() => void) | undefined;

/** Without listeners Node would open a debugger's port on SIGUSR1, and end on SIGUSR2. */
function listenToInquiries(): void {
  process.on('SIGUSR1', () => answerInquiry?.());
  if ('SIGINFO' in constants.signals) process.on('SIGINFO', () => answerInquiry?.());
  process.on('SIGUSR2', () => void tellTrace());
}

/** The stack is always the event loop's; what it waits for says more. */
async function tellTrace(): Promise<void> {
  const resources = process.getActiveResourcesInfo();
  const { formatTime, localTime } = await import('../util/wall-time.ts');
  const now = formatTime(localTime(nowNs() / 1000n), '%Y-%m-%d %H:%M:%S');
  immediateStderr.write(`\nReceived SIGUSR2 at ${now}, dumping trace...\n`);
  immediateStderr.write(`Waiting for: ${resources.join(', ')}\n`);
  answerInquiry?.();
}

/** Whether Node has something to do at the end: write what its own options ask for, or put back a stream's mode. */
let endsByNode = process.execArgv.length > 0 || 'NODE_OPTIONS' in process.env;

/**
 * All that the command began has ended. Node would still take its heap apart and wait for V8's threads, of which one may sleep
 * for good (lost wake-ups of condition variables, glibc before 2.41).
 */
function exit(code: number): never {
  const lastCode = flushOutput() ? code : EXIT_ERROR;
  if (endsByNode) process.exit(lastCode);
  process.emit('exit', lastCode);
  endProcessNow(lastCode);
}

/** Writes what is not written yet, e.g. to a full disk: then says so, and is false. */
function flushOutput(): boolean {
  try {
    stdout.flush();
    return true;
  } catch (error) {
    immediateStderr.write(`Standard output can't be written: ${(error as Error).message}\n`);
    return false;
  }
}

function failUnexpectedly(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  immediateStderr.write(`Internal error: ${text}\nThis is a fault in alcove. Please report it.\n`);
  endProcessNow(EXIT_ERROR);
}

async function readIdentity(): Promise<Identity> {
  const { getFqdn, getHostname, getUserName } = await import('../platform/host-name.ts');
  return { pid: process.pid, hostname: getHostname(), fqdn: getFqdn(), user: getUserName() };
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

async function readInput(): Promise<Uint8Array> {
  endsByNode = true;
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Not at the start, where they would be a tenth of it. */
const filePromises = () => import('node:fs/promises');

function realIo(argv: readonly string[]): CliIo {
  return {
    argv,
    name: ownName,
    commandLine: [ownName, ...argv],
    get program() {
      return programWord(process.argv[1] ?? ownName, process.env['PATH'], ownName);
    },
    env: process.env,
    cwd: process.cwd(),
    stdout,
    stderr: immediateStderr,
    signal: stopOnSignals(),
    isBackground: isBackgroundProcess,
    onInquiry: (listener) => (answerInquiry = listener),
    nowNs,
    readFile: async (path) => (await filePromises()).readFile(path),
    openLog: (path, append) => {
      const fd = openSync(path, append ? 'a' : 'w');
      return (text) => writeAll(fd, Buffer.from(text.toWellFormed()));
    },
    modifiedNs: async (path) => {
      try {
        return (await (await filePromises()).stat(path, { bigint: true })).mtimeNs;
      } catch {
        return undefined;
      }
    },
    identity: readIdentity,
    setUmask: (mask) => void process.umask(mask),
    hasTerminal,
    readPassphrase: async (prompt) => {
      const { readSecret } = await import('../platform/tty.ts');
      return readSecret(prompt);
    },
    readInput,
    readLine: async () => {
      stdout.flush();
      const { readLine } = await import('../platform/tty.ts');
      return readLine();
    },
  };
}

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  stdout.write(`${versionText(ownName)}\n`);
  process.exit(flushOutput() ? 0 : EXIT_ERROR);
}
process.on('uncaughtException', failUnexpectedly);
process.on('unhandledRejection', failUnexpectedly);
listenToInquiries();
// Nothing is left that could come, and the command has not ended: an exit code of its own accord would say that all is well.
process.on('beforeExit', () => failUnexpectedly(new Error('the command waits for what never comes')));
void run();

async function run(): Promise<never> {
  const { main } = await import('./main.ts');
  return exit(await main(realIo(argv)));
}
