/**
 * Values of a cache's config that its owner may see and change.
 *
 * Source: Borg 1.4.5 archiver.py, do_config (cache_validate).
 */
import { GeneralError } from '../../errors.ts';
import { decodeIni, encodeIni, type Ini } from '../../format/ini.ts';
import { iniValue, withIniValue, withoutIniValue } from '../../format/ini-values.ts';
import { InvalidLocation, Location } from '../../format/location.ts';
import type { Context } from '../../util/context.ts';
import { CacheConfig } from './cache-config.ts';
import type { CacheDirectory } from './cache-directory.ts';
import { cacheDirectory } from './local-cache.ts';

/** Of a cache that somebody keeps open, and so locked. */
export class CacheSettings {
  readonly #directory: CacheDirectory;
  readonly #ini: Ini;

  constructor(ctx: Context, repositoryIdHex: string) {
    this.#directory = cacheDirectory(ctx, repositoryIdHex);
    this.#ini = decodeIni(this.#directory.readText('config'));
  }

  list(): [name: string, value: string][] {
    return [...(this.#ini.get('cache') ?? [])];
  }

  /** Throws a GeneralError where there is none. */
  get(section: string, name: string): string {
    return iniValue(this.#ini, section, name);
  }

  /** Throws a GeneralError where it can't be changed, or is no location. */
  set(section: string, name: string, value: string): void {
    assertChangeable(section, name);
    try {
      Location.parse(value);
    } catch (error) {
      if (error instanceof InvalidLocation) throw new GeneralError([error.message], error);
      throw error;
    }
    this.#save(withIniValue(this.#ini, section, name, value));
  }

  /** Throws a GeneralError where it can't be deleted. */
  delete(section: string, name: string): void {
    assertChangeable(section, name);
    this.#save(withoutIniValue(this.#ini, section, name));
  }

  #save(ini: Ini): void {
    const text = encodeIni(ini);
    CacheConfig.decode(text, `${this.#directory.path}/config`);
    this.#directory.saveText('config', text);
  }
}

function assertChangeable(section: string, name: string): void {
  if (section !== 'cache') throw new GeneralError([`Invalid section: ${section}`]);
  if (name !== 'previous_location') throw new GeneralError([`Invalid name: ${name}`]);
}
