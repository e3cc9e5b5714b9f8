/** Errors on demand, for tests of clients. Source: Borg 1.4.5 remote.py, RepositoryServer.inject_exception(). */
import {
  CheckNeeded,
  IntegrityError,
  InvalidRPCMethod,
  ObjectNotFound,
  PathNotAllowed,
  RepositoryAlreadyExists,
  RepositoryDoesNotExist,
} from '../errors.ts';

const FIRST = 'test string';
const SECOND = 'test string2';

const KINDS: Readonly<Record<string, () => Error>> = {
  DoesNotExist: () => new RepositoryDoesNotExist([FIRST]),
  AlreadyExists: () => new RepositoryAlreadyExists([FIRST]),
  CheckNeeded: () => new CheckNeeded([FIRST]),
  IntegrityError: () => new IntegrityError([FIRST]),
  PathNotAllowed: () => new PathNotAllowed(['foo']),
  ObjectNotFound: () => new ObjectNotFound([FIRST, SECOND]),
  InvalidRPCMethod: () => new InvalidRPCMethod([FIRST]),
  divide: () => Object.assign(new Error('division by zero'), { name: 'ZeroDivisionError' }),
};

/** Undefined where there is none of that name. */
export function injectedException(kind: string): Error | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind]!() : undefined;
}
