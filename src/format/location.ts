/**
 * Where a repository is, and which archive of it is meant:
 *
 *     ssh://[user@]host[:port]/path[::archive]     /./x is relative to the remote folder, /~/x to its user's home
 *     [user@]host:path[::archive]                  the same over ssh, path as the remote shell takes it
 *     file://[server]/path[::archive]
 *     path[::archive]
 *     ::archive, ::, or nothing                    repository from BORG_REPO
 *
 * Neither path nor archive contains `::`, an archive name contains no slash. Placeholders are replaced beforehand.
 *
 * Source: Borg 1.4.5 helpers/parseformat.py, Location.
 */
import { normalizePosixPath } from '../util/posix-path.ts';

/** The text is no location. The message is Borg's. */
export class InvalidLocation extends Error {
  override readonly name = 'InvalidLocation';

  constructor(processed: string) {
    super(`Invalid location format: "${processed}"`);
  }
}

/** A location as the user gave it, and with its placeholders replaced. */
export interface LocationText {
  raw: string;
  processed: string;
}

interface LocationParts {
  proto: 'file' | 'ssh';
  user: string | undefined;
  bracketedHost: string | undefined;
  port: number | undefined;
  path: string;
  archive: string | undefined;
}

const USER = '(?:(?<user>[^@:/]+)@)?';
const HOST = String.raw`(?<host>(?!\[)[^:/]+(?<!\])|\[[0-9a-fA-F:.]+\])`;
const CHARS = '(?:[^:]|:(?!:))+';
const ARCHIVE = '(?:::(?<archive>[^/]+))?$';
const SSH = new RegExp(String.raw`^ssh://${USER}${HOST}(?::(?<port>\d+))?(?<path>/${CHARS})${ARCHIVE}`);
const FILE = new RegExp(`^file://(?<path>[^/]*/${CHARS})${ARCHIVE}`);
const SCP = new RegExp(`^(?:${USER}${HOST}:)?(?!:|//|ssh://)(?<path>${CHARS})${ARCHIVE}`);
const FROM_ENVIRONMENT = /^(?:::$|(?:::(?<archive>[^/]+))?$)/;

export class Location {
  readonly proto: 'file' | 'ssh';
  readonly user: string | undefined;
  /** Without the brackets of an IPv6 address. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string;
  readonly archive: string | undefined;
  readonly raw: string;
  readonly processed: string;
  readonly #parts: LocationParts;

  private constructor(parts: LocationParts, text: LocationText) {
    this.#parts = parts;
    this.proto = parts.proto;
    this.user = parts.user;
    this.host = parts.bracketedHost?.replace(/^\[+/, '').replace(/\]+$/, '');
    this.port = parts.port;
    this.path = parts.path;
    this.archive = parts.archive;
    this.raw = text.raw;
    this.processed = text.processed;
  }

  /**
   * Throws InvalidLocation. `repository` is BORG_REPO, undefined where it is not set; it stands in where the text names
   * no repository.
   */
  static parse(text: string | LocationText, repository?: string | LocationText): Location {
    const given = typeof text === 'string' ? { raw: text, processed: text } : text;
    const parts = parseParts(given.processed);
    if (parts !== undefined) return new Location(parts, given);
    const match = FROM_ENVIRONMENT.exec(given.processed);
    if (match === null || repository === undefined) throw new InvalidLocation(given.processed);
    const fallback = typeof repository === 'string' ? { raw: repository, processed: repository } : repository;
    const archive = match.groups?.['archive'];
    const merged =
      archive === undefined
        ? fallback
        : { raw: fallback.raw + given.raw, processed: `${fallback.processed}::${archive}` };
    const repositoryParts = parseParts(fallback.processed);
    if (repositoryParts === undefined) throw new InvalidLocation(merged.processed);
    return new Location({ ...repositoryParts, archive }, merged);
  }

  /** The location as compared and stored in the security folder: a path, or an ssh URL. */
  canonicalPath(): string {
    if (this.proto === 'file') return this.path;
    const { user, bracketedHost, port } = this.#parts;
    const prefix = this.path.startsWith('~') ? '/' : this.path.startsWith('/') ? '' : '/./';
    return `ssh://${user ? `${user}@` : ''}${bracketedHost}${port ? `:${port}` : ''}${prefix}${this.path}`;
  }

  /** The repository alone. */
  omitArchive(): Location {
    const text = { raw: beforeArchive(this.raw), processed: beforeArchive(this.processed) };
    return new Location({ ...this.#parts, archive: undefined }, text);
  }

  /** A local location with its path made absolute; a remote one as it is. */
  absolute(cwd: string): Location {
    if (this.proto !== 'file') return this;
    const path = normalizePosixPath(this.path.startsWith('/') ? this.path : `${cwd}/${this.path}`);
    return new Location({ ...this.#parts, path }, this);
  }

  /** Name of a new keyfile in the keys folder: the location with all but letters, digits and `_` replaced. */
  keyFileName(): string {
    let name = toWord(this.path).replaceAll(/^_+|_+$/g, '');
    if (this.proto !== 'file') name = `${toWord(this.host ?? '')}__${name}`;
    return Array.from(name).slice(0, MAX_KEY_FILE_NAME_CHARS).join('');
  }
}

const MAX_KEY_FILE_NAME_CHARS = 100;

/** Whether the name may be given to an archive (Borg: archivename_validator). */
export function isArchiveName(name: string): boolean {
  return name !== '' && !name.includes('/') && !name.includes('::');
}

function parseParts(text: string): LocationParts | undefined {
  const ssh = SSH.exec(text)?.groups;
  if (ssh !== undefined) {
    const port = ssh['port'] === undefined ? undefined : Number(ssh['port']) || undefined;
    return remoteOrLocal('ssh', ssh, port);
  }
  const file = FILE.exec(text)?.groups;
  if (file !== undefined) return remoteOrLocal('file', file, undefined);
  const scp = SCP.exec(text)?.groups;
  if (scp === undefined) return undefined;
  return remoteOrLocal(scp['host'] === undefined ? 'file' : 'ssh', scp, undefined);
}

function remoteOrLocal(
  proto: 'file' | 'ssh',
  groups: Record<string, string | undefined>,
  port: number | undefined,
): LocationParts {
  return {
    proto,
    user: groups['user'],
    bracketedHost: groups['host'],
    port,
    path: normalizeKeepingRelative(groups['path']!),
    archive: groups['archive'],
  };
}

/** `/./x` stays, since it says that x is relative. */
function normalizeKeepingRelative(path: string): string {
  const normal = normalizePosixPath(path);
  return path.startsWith('/./') ? `/.${normal}` : normal;
}

function beforeArchive(text: string): string {
  const end = text.indexOf('::');
  return end < 0 ? text : text.slice(0, end);
}

function toWord(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}_]/gu, '_');
}
