/** alcove's main() without a process of its own, for tests of many command lines. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { main } from '../../src/cli/main.ts';
import { nowNs } from '../../src/platform/clock.ts';
import { getFqdn, getHostname, getUserName } from '../../src/platform/host-name.ts';
import { decodeSurrogateEscaped } from '../../src/util/surrogate-escape.ts';
import { fakeIo } from '../cli/fake-io.ts';
import type { ServedRun } from './reference-server.ts';
import type { TwinOutcome } from './twins.ts';

export async function runInProcess({ args, env, cwd }: ServedRun): Promise<TwinOutcome> {
  const argv = args.map((word) => decodeSurrogateEscaped(Buffer.from(word, 'latin1')));
  const io = fakeIo(argv, { env: { ...env }, cwd });
  const identity = { pid: process.pid, hostname: getHostname(), fqdn: getFqdn(), user: getUserName() };
  const status = await main({
    ...io,
    nowNs,
    identity: () => Promise.resolve(identity),
    readFile: (path) => readFile(path === '' ? '' : resolve(cwd, path)),
    modifiedNs: async (path) => {
      const found = await stat(resolve(cwd, path), { bigint: true }).catch(() => undefined);
      return found?.mtimeNs;
    },
  });
  return { status, stdout: io.stdout.bytes.toString('latin1'), stderr: io.stderr.bytes.toString('latin1') };
}
