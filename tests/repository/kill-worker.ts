/** `kill-worker.ts PATH SEED VERSIONS`: commits transactions one after the other until it is killed. */
import { openRepository } from '../../src/repository/open-repository.ts';
import { seededRandom } from '../random.ts';
import { dataOf, idOf, testContext } from './fakes.ts';
import { applyTransaction, planTransaction, sizeOf } from './kill-steps.ts';
import type { Versions } from './kill-steps.ts';

const [path = '', seed = '0', start = '[]'] = process.argv.slice(2);
const random = seededRandom(Number(seed));
let versions: Versions = new Map(JSON.parse(start) as [number, number][]);
const repository = await openRepository(testContext(), path, { exclusive: true, lockWaitSeconds: 20 });
process.stdout.write('ready\n');
for (;;) {
  const plan = planTransaction(random, versions);
  for (const number of plan.deletes) await repository.delete(idOf(number));
  for (const [number, version] of plan.puts) {
    await repository.put(idOf(number), dataOf(`${number} ${version}`, sizeOf(number, version)));
  }
  await repository.commit({ compact: plan.compact, threshold: plan.threshold });
  versions = applyTransaction(versions, plan);
  process.stdout.write('committed\n');
}
