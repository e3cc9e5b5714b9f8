/** What any Repository must do, over a connection to a server. */
import { after } from 'node:test';
import { Location } from '../../src/format/location.ts';
import { repositoryConformance } from '../repository/conformance.ts';
import { dataOf, idOf } from '../repository/fakes.ts';
import { RemotePlace } from './remote-place.ts';

/**
 * Repositories begin with a commit: without one, a server of this project takes them back, and Borg's stumbles over what
 * was put.
 */
export function remoteConformance(
  name: string,
  remotePath: string,
  { modelRuns }: { readonly modelRuns: number },
): void {
  const place = new RemotePlace(remotePath);
  after(() => place[Symbol.dispose]());
  repositoryConformance(name, {
    modelRuns,
    async create() {
      const repository = await place.create();
      await repository.put(idOf('first'), dataOf('first'));
      await repository.delete(idOf('first'));
      await repository.commit();
      return repository;
    },
    async reopen(repository, { rebuild = false } = {}) {
      await repository.close();
      const { path } = Location.parse(repository.location);
      if (rebuild) place.forgetIndex(path);
      return place.open(path);
    },
  });
}
