/** Positional arguments that many commands have. Source: Borg 1.4.5 helpers/parseformat.py, location_validator. */
import { InvalidLocation, isArchiveName, Location, type LocationText } from '../../format/location.ts';
import {
  InvalidValue,
  type Completes,
  type ParseContext,
  type ParseValue,
  type PositionalSpec,
} from './option.ts';
import { assertTemplate, fillPlaceholders } from './placeholder-values.ts';
import { parseNonEmptyPath } from './values.ts';

export interface LocationArgs {
  readonly location: Location;
}

export interface LocationOptions {
  /** Taken from BORG_REPO where it is left out. */
  readonly optional?: boolean;
  /** Whether an archive has to be named, or must not be. Default: either. */
  readonly archive?: 'required' | 'none';
  /** Only on this machine. */
  readonly local?: boolean;
}

export function locationOf(metavar: string, help: string, options: LocationOptions = {}): PositionalSpec {
  const parse: ParseValue = (text, context) => parseLocation(text, context, options);
  const completes = options.archive === 'none' ? 'repository' : 'location';
  return options.optional
    ? { metavar, dest: 'location', arity: 'optional', fallbackText: '', help, parse, completes }
    : { metavar, dest: 'location', arity: 'one', help, parse, completes };
}

/** Paths in an archive, unless they complete as files. */
export function pathsOf(help: string, completes: Completes = 'nothing'): PositionalSpec {
  return { metavar: 'PATH', dest: 'paths', arity: 'many', parse: parseNonEmptyPath, help, completes };
}

/** A location with its placeholders filled in; `nowNs` stands in for the clock there. */
export async function parseLocation(
  text: string,
  context: ParseContext,
  options: LocationOptions = {},
  nowNs?: bigint,
): Promise<Location> {
  const fill = async (raw: string): Promise<LocationText> => {
    assertTemplate(raw);
    return { raw, processed: await fillPlaceholders(raw, context, nowNs) };
  };
  const repository = context.env['BORG_REPO'];
  let location: Location;
  try {
    location = Location.parse(
      await fill(text),
      repository === undefined ? undefined : await fill(repository),
    );
  } catch (error) {
    if (!(error instanceof InvalidLocation)) throw error;
    throw new InvalidValue(error.message, missingHint(text, options));
  }
  if (options.archive === 'required' && location.archive === undefined) {
    throw new InvalidValue(`"${text}": No archive specified`, 'Write it as REPOSITORY::ARCHIVE.');
  }
  if (options.archive === 'none' && location.archive !== undefined) {
    throw new InvalidValue(`"${text}": No archive can be specified`);
  }
  if (options.local === true && location.proto !== 'file') {
    throw new InvalidValue(`"${text}": Repository must be local`);
  }
  return location;
}

function missingHint(text: string, { archive }: LocationOptions): string | undefined {
  if (text !== '' && !text.startsWith('::')) return undefined;
  const what = archive === 'required' ? 'REPOSITORY::ARCHIVE' : 'the repository';
  return `Name ${what}, or set BORG_REPO to the repository.`;
}

/** The name of an archive alone. */
export const parseArchiveName: ParseValue = async (text, context) => {
  assertTemplate(text, 'validator');
  const name = await fillPlaceholders(text, context);
  if (!isArchiveName(name)) throw new InvalidValue(`Invalid archive name: "${name}"`);
  return name;
};
