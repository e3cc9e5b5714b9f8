/**
 * What two repositories share so that the same data gets the same ids and cut points in both, as JSON:
 * version (1), id_key (hex), chunk_seed, key_name (the key type's name).
 *
 * Source: Borg 1.4.5, archiver.py, do_key_export_related_secrets() and do_init().
 */
import { CommandError } from '../errors.ts';
import { fromHex, toHex } from '../util/bytes.ts';
import type { Key } from './key.ts';

export interface RelatedSecrets {
  idKey: Uint8Array;
  chunkSeed: number;
  keyName: string;
}

/** Secret: who has it can tell whether a repository holds known data. */
export function encodeRelatedSecrets(key: Key): string {
  const json = {
    version: 1,
    id_key: toHex(key.material.idKey),
    chunk_seed: key.chunkSeed,
    key_name: key.type.name,
  };
  return `${JSON.stringify(json, undefined, 4)}\n`;
}

/** `path` names the file in messages. Throws a CommandError. */
export function decodeRelatedSecrets(text: string, path: string): RelatedSecrets {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  if (typeof json !== 'object' || json === null) {
    throw new CommandError([`Invalid JSON in related secrets file: ${path}`]);
  }
  const {
    version,
    id_key: idKey,
    chunk_seed: chunkSeed,
    key_name: keyName,
  } = json as Record<string, unknown>;
  if (version !== 1) throw new CommandError([`Unsupported related secrets version: ${shown(version)}`]);
  if (typeof idKey !== 'string' || !/^(?:[0-9a-fA-F]{2})+$/.test(idKey)) {
    throw new CommandError([`Invalid id_key in related secrets file: ${path}`]);
  }
  if (typeof chunkSeed !== 'number' || chunkSeed !== (chunkSeed | 0) || typeof keyName !== 'string') {
    throw new CommandError([`Invalid chunk_seed or key_name in related secrets file: ${path}`]);
  }
  return { idKey: fromHex(idKey), chunkSeed, keyName };
}

function shown(value: unknown): string {
  return value === undefined ? 'None' : JSON.stringify(value);
}
