/**
 * Single values of INI text, by section and key; keys are lower case.
 *
 * Source: Python 3 configparser, ConfigParser.get, set, remove_option; Borg 1.4.5 archiver.py, do_config.
 */
import { GeneralError } from '../errors.ts';
import type { Ini } from './ini.ts';

/** Throws a GeneralError where there is none, in Python's words. */
export function iniValue(ini: Ini, section: string, key: string): string {
  const values = ini.get(section);
  if (values === undefined) throw new GeneralError([`No section: '${section}'`]);
  const value = values.get(key.toLowerCase());
  if (value === undefined) {
    throw new GeneralError([`No option '${key.toLowerCase()}' in section: '${section}'`]);
  }
  return value;
}

/** A copy with the value set. */
export function withIniValue(ini: Ini, section: string, key: string, value: string): Ini {
  const copy = copyOf(ini);
  const values = copy.get(section) ?? new Map<string, string>();
  values.set(key.toLowerCase(), value);
  return copy.set(section, values);
}

/** A copy without the value, and without its section where that is empty then. */
export function withoutIniValue(ini: Ini, section: string, key: string): Ini {
  const copy = copyOf(ini);
  const values = copy.get(section);
  values?.delete(key.toLowerCase());
  if (values?.size === 0) copy.delete(section);
  return copy;
}

function copyOf(ini: Ini): Ini {
  return new Map([...ini].map(([name, values]) => [name, new Map(values)]));
}
