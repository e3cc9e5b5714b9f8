/** The reference Borg, ready for many command lines: one Python, and a process of its own for each of them. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import type { TwinOutcome } from './twins.ts';

export interface ServedRun {
  /** One character a byte. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** One character a byte. */
  readonly input?: string;
}

const script = fileURLToPath(new URL('reference-server.py', import.meta.url));

export class ReferenceServer implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  /** `env` is what Borg sees while it is loaded, e.g. BORG_EXIT_CODES. */
  constructor(env: Readonly<Record<string, string>>) {
    const [command, ...args] = pythonCommand();
    this.#child = spawn(command!, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** One at a time. */
  async run(run: ServedRun): Promise<TwinOutcome> {
    this.#child.stdin.write(`${JSON.stringify(run)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the reference Borg has ended');
    return JSON.parse(value) as TwinOutcome;
  }

  [Symbol.dispose](): void {
    this.#child.stdin.end();
  }
}

/** The Python that the reference runs in, with our script: from its first line, or from the `-c` in a shell script. */
function pythonCommand(): string[] {
  const reference = process.env['ALCOVE_REFERENCE_BORG'];
  if (!reference) throw new Error('set ALCOVE_REFERENCE_BORG to the command of a Borg 1.4');
  const text = readFileSync(reference, 'latin1');
  const interpreter = /^#!\s*(\S*python\S*)/.exec(text);
  if (interpreter !== null) return [interpreter[1]!, script];
  const code = / -c '[^']*'/;
  if (!code.test(text))
    throw new Error(`${reference} is neither a Python script nor a shell script with "-c"`);
  const load = `import sys; exec(open(sys.argv[1]).read())`;
  return ['sh', '-c', text.replace(code, ` -c '${load}'`), reference, script];
}
