/**
 * The `config` file of a cache, INI text:
 *
 * | section   | key                | value                                                            |
 * |-----------|--------------------|------------------------------------------------------------------|
 * | cache     | version            | 1                                                                |
 * | cache     | repository         | repository id, hex                                               |
 * | cache     | manifest           | id of the manifest that the cache is in step with, hex; may be empty |
 * | cache     | timestamp          | that manifest's timestamp                                        |
 * | cache     | key_type           | type byte of the key, decimal                                    |
 * | cache     | previous_location  | where the repository was                                         |
 * | cache     | ignored_features   | names, with commas between: features of it that the cache's writer did not know |
 * | cache     | mandatory_features | names: features that the writer heeded                           |
 * | integrity | manifest           | as above: a difference means that the rest of the section is stale |
 * | integrity | chunks, files, …   | integrity data of the file of that name                          |
 *
 * Source: Borg 1.4.5, cache.py, CacheConfig.
 */
import { FileIntegrityError, GeneralError } from '../../errors.ts';
import { decodeIni, encodeIni, IniError, type Ini } from '../../format/ini.ts';

const CACHE_VERSION = '1';

export class CacheConfig {
  readonly #ini: Ini;
  manifestIdHex = '';
  timestamp: string | undefined;
  keyType: string | undefined;
  previousLocation: string | undefined;
  ignoredFeatures = new Set<string>();
  mandatoryFeatures = new Set<string>();
  /** Integrity data by file name. */
  integrity = new Map<string, string>();
  /** The section about integrity was there, but of another state of the cache. */
  integrityWasStale = false;

  private constructor(ini: Ini) {
    this.#ini = ini;
  }

  static create(repositoryIdHex: string): CacheConfig {
    const cache = new Map([
      ['version', CACHE_VERSION],
      ['repository', repositoryIdHex],
      ['manifest', ''],
    ]);
    return new CacheConfig(
      new Map([
        ['cache', cache],
        ['integrity', new Map([['manifest', '']])],
      ]),
    );
  }

  /**
   * `path` is for messages. Throws a FileIntegrityError where it is damaged, or the config of another repository than
   * `repositoryIdHex`; a GeneralError where it is of a version that nobody here knows.
   */
  static decode(text: string, path: string, repositoryIdHex?: string): CacheConfig {
    const ini = readIni(text, path);
    const cache = ini.get('cache');
    if (cache === undefined) throw new FileIntegrityError([`${path} does not look like a Borg cache.`]);
    if (repositoryIdHex !== undefined && cache.get('repository') !== repositoryIdHex) {
      throw new FileIntegrityError([`${path} is that of another repository`]);
    }
    const version = cache.get('version');
    if (version !== CACHE_VERSION) {
      throw new GeneralError([`${path} has unexpected cache version ${version} (wanted: ${CACHE_VERSION}).`]);
    }
    const config = new CacheConfig(ini);
    config.#readFields(cache);
    return config;
  }

  get repositoryIdHex(): string {
    return this.#section('cache').get('repository') ?? '';
  }

  /** The file's text. Fields that are not in step with a manifest yet keep the values that they had in the file. */
  encode(location: string): string {
    this.#section('cache').set('previous_location', location);
    return encodeIni(this.#ini);
  }

  /** Puts the cache in step with the manifest; encode() then has all fields. */
  setInStep(manifestIdHex: string, timestamp: string, keyType: string): void {
    this.manifestIdHex = manifestIdHex;
    this.timestamp = timestamp;
    this.keyType = keyType;
    const cache = this.#section('cache');
    cache.set('manifest', manifestIdHex);
    cache.set('timestamp', timestamp);
    cache.set('ignored_features', [...this.ignoredFeatures].join(','));
    cache.set('mandatory_features', [...this.mandatoryFeatures].join(','));
    cache.set('key_type', keyType);
    this.#writeIntegrity(manifestIdHex);
  }

  /** Has the cache know of no manifest later than this one, which it need not be in step with. */
  setTimestamp(timestamp: string): void {
    this.timestamp = timestamp;
    this.#section('cache').set('timestamp', timestamp);
  }

  /** Puts the cache in step with nothing, as after its files were emptied. */
  setWiped(): void {
    this.manifestIdHex = '';
    this.#section('cache').set('manifest', '');
    this.#writeIntegrity('');
    this.ignoredFeatures = new Set();
    this.mandatoryFeatures = new Set();
  }

  #readFields(cache: Map<string, string>): void {
    this.manifestIdHex = cache.get('manifest') ?? '';
    this.timestamp = cache.get('timestamp');
    this.keyType = cache.get('key_type');
    this.previousLocation = cache.get('previous_location') || undefined;
    this.ignoredFeatures = parseNames(cache.get('ignored_features'));
    this.mandatoryFeatures = parseNames(cache.get('mandatory_features'));
    const integrity = this.#ini.get('integrity');
    if (integrity === undefined) return;
    if (integrity.get('manifest') === this.manifestIdHex) {
      this.integrity = new Map([...integrity].filter(([name]) => name !== 'manifest'));
    } else {
      this.integrityWasStale = true;
    }
  }

  #writeIntegrity(manifestIdHex: string): void {
    const section = this.#section('integrity');
    // Keys are lower case: one that is not would be there twice after the next reading.
    for (const [name, data] of this.integrity) section.set(name.toLowerCase(), data);
    section.set('manifest', manifestIdHex);
  }

  #section(name: string): Map<string, string> {
    let section = this.#ini.get(name);
    if (section === undefined) this.#ini.set(name, (section = new Map<string, string>()));
    return section;
  }
}

function readIni(text: string, path: string): Ini {
  try {
    return decodeIni(text);
  } catch (error) {
    if (!(error instanceof IniError)) throw error;
    throw new FileIntegrityError([`${path} [${error.message}]`], error);
  }
}

function parseNames(text: string | undefined): Set<string> {
  return new Set((text ?? '').split(/ *, */).filter((name) => name !== ''));
}
