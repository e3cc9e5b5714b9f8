import type { ArchiveCrafter } from '../archive/crafted-archive.ts';
import { describeVfs } from './conformance.ts';
import { CraftedRepository } from './crafted-vfs.ts';

const DIRECTORY = 0o040755;
const SYMLINK = 0o120777;

async function fill(crafter: ArchiveCrafter): Promise<void> {
  crafter.add({ path: 'home', mode: DIRECTORY });
  await crafter.addFile('home/letter.txt', 'Dear ', 'all', ',');
  crafter.add({ path: 'home/copy', source: 'home/letter.txt' });
  crafter.add({ path: 'home/link', mode: SYMLINK, source: 'letter.txt' });
  await crafter.addFile('home/implied/deeper/file', 'x');
  crafter.add({ path: 'home/empty', mode: DIRECTORY });
  crafter.add({ path: 'nothing', chunks: [], size: 0 });
  crafter.add({ path: 'fifo', mode: 0o010600 });
}

async function makeRepository(): Promise<CraftedRepository> {
  const made = new CraftedRepository();
  await made.add('monday', fill);
  await made.add('tuesday', async (crafter) => {
    await fill(crafter);
    await crafter.addFile('home/letter.txt', 'Dear ', 'nobody');
  });
  return made;
}

const repository = await makeRepository();

describeVfs('an archive as a tree', () => repository.openArchive('monday'));
describeVfs('a repository as a tree', () => repository.openAll());
describeVfs('the versions view', () => repository.openVersions());
