/** Options of what writes and reads tars. Source: Borg 1.4.5 archiver.py, build_parser ("borg export-tar"). */
import type { OptionSpec } from './option.ts';

export const tarFilterOption: OptionSpec = {
  flags: ['--tar-filter'],
  dest: 'tarFilter',
  metavar: 'TAR_FILTER',
  fallback: 'auto',
  help: 'the command that compresses or decompresses; "" for none (default: auto, by the name of the file)',
};
