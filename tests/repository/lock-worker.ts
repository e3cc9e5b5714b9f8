/** `lock-worker.ts FOLDER COUNTER TIMES`: raises the number in the file that often, under the folder's lock. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Lock } from '../../src/repository/lock.ts';
import { processIdentity } from '../../src/repository/process-identity.ts';
import { PosixStore } from '../../src/store/posix-store.ts';
import { SilentReporter } from '../../src/util/reporter.ts';

const [folder = '', counter = '', times = '0'] = process.argv.slice(2);
for (let i = 0; i < Number(times); i++) {
  const lock = await new Lock(new PosixStore(folder), 'lock', {
    exclusive: true,
    timeoutSeconds: 60,
    reporter: new SilentReporter(),
    identity: { ...processIdentity({ env: { BORG_HOST_ID: 'workers' } }) },
  }).acquire();
  const value = Number(readFileSync(counter, 'utf8'));
  await new Promise((resolve) => setTimeout(resolve, 2));
  writeFileSync(counter, String(value + 1));
  await lock.release();
}
