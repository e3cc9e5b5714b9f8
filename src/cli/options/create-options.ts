/** Options of what makes archives. Source: Borg 1.4.5 archiver.py, build_parser ("borg create"). */
import { InvalidChunkerParams, parseChunkerParams } from '../../chunker/chunker-params.ts';
import { InvalidCompression, parseCompression } from '../../compress/compression-spec.ts';
import { suggestion } from '../suggestion.ts';
import { flag } from './flag.ts';
import { InvalidValue, type OptionGroup, type OptionSpec, type ParseValue } from './option.ts';
import { parsePlaceholders } from './placeholder-values.ts';
import { parseTimestamp } from './timestamp-value.ts';
import { FILES_CACHE_MODES, parseFilesCacheMode, parseInteger, parsePercent } from './values.ts';

/** What a compression may begin with. */
export const COMPRESSIONS = ['none', 'lz4', 'zstd', 'zlib', 'lzma', 'auto', 'obfuscate'] as const;

const compression: ParseValue = (text) => {
  try {
    return parseCompression(text);
  } catch (error) {
    if (!(error instanceof InvalidCompression)) throw error;
    const hint = suggestion(text.split(',', 1)[0]!, COMPRESSIONS);
    throw new InvalidValue(error.message, hint ?? '"alcove help compression" lists what there is.');
  }
};

const chunkerParams: ParseValue = (text) => {
  try {
    return parseChunkerParams(text);
  } catch (error) {
    if (error instanceof InvalidChunkerParams) throw new InvalidValue(error.message);
    throw error;
  }
};

export const compressionOption: OptionSpec = {
  flags: ['-C', '--compression'],
  dest: 'compression',
  metavar: 'COMPRESSION',
  parse: compression,
  completes: { words: COMPRESSIONS, list: true },
  help: 'compress with COMPRESSION, see "help compression" (default: lz4)',
};

export const commentOption: OptionSpec = {
  flags: ['--comment'],
  dest: 'comment',
  metavar: 'COMMENT',
  parse: parsePlaceholders,
  fallback: '',
  help: 'add a text to the archive',
};

export const numericIdsOptions: readonly OptionSpec[] = [
  flag('--numeric-owner', 'numericIds', 'the same as --numeric-ids'),
  flag('--numeric-ids', 'numericIds', 'use only the numbers of users and groups'),
];

export const noFlagsOptions: readonly OptionSpec[] = [
  flag('--nobsdflags', 'noFlags', 'the same as --noflags'),
  flag('--noflags', 'noFlags', 'leave out file flags (e.g. nodump, immutable)'),
];

export const fileSystemOptions: OptionGroup = {
  title: 'File system options',
  options: [
    flag(['-x', '--one-file-system'], 'oneFileSystem', 'stay in the file system that each PATH is in'),
    ...numericIdsOptions,
    flag('--noatime', 'noatime', 'do nothing: access times are left out anyway'),
    flag('--atime', 'atime', 'store access times'),
    flag('--noctime', 'noctime', 'leave out change times'),
    flag('--nobirthtime', 'nobirthtime', 'leave out times of creation'),
    ...noFlagsOptions,
    flag('--noacls', 'noAcls', 'leave out access control lists'),
    flag('--noxattrs', 'noXattrs', 'leave out extended attributes'),
    flag('--sparse', 'sparse', 'find holes in sparse files (only with a fixed chunker)'),
    {
      flags: ['--files-cache'],
      dest: 'filesCacheMode',
      metavar: 'MODE',
      action: 'once',
      parse: parseFilesCacheMode,
      completes: { words: FILES_CACHE_MODES, list: true },
      fallback: 'cis',
      help: 'how to tell that a file is unchanged: a comma-separated list of ctime, mtime, size, inode, rechunk, disabled (default: ctime,size,inode)',
    },
    {
      flags: ['--files-cache-verify'],
      dest: 'filesCacheVerify',
      metavar: 'PERCENT',
      parse: parsePercent,
      beyondBorg: true,
      variable: 'ALCOVE_FILES_CACHE_VERIFY',
      help: 'read PERCENT of the unchanged files nevertheless, others each time, and warn where contents changed (default: ALCOVE_FILES_CACHE_VERIFY, or 0)',
    },
    {
      flags: ['--files-changed'],
      dest: 'filesChanged',
      metavar: 'MODE',
      action: 'once',
      choices: ['ctime', 'mtime', 'disabled'],
      fallback: 'ctime',
      help: 'how to tell that a file changed while it was read: ctime, mtime, disabled (default: ctime)',
    },
    flag('--read-special', 'readSpecial', 'read devices and pipes as if they were files'),
  ],
};

export const outputFilterOption: OptionSpec = {
  flags: ['--filter'],
  dest: 'outputFilter',
  metavar: 'STATUSCHARS',
  action: 'once',
  help: 'print only files of these letters',
};

/** What is printed of the new archive. */
export const reportOptions: readonly OptionSpec[] = [
  flag(['-s', '--stats'], 'stats', 'print sizes of the archive and of the repository'),
  flag('--quick-stats', 'quickStats', 'print sizes of the archive alone'),
  flag('--list', 'outputList', 'print a line for each file'),
  outputFilterOption,
  flag('--json', 'json', 'print sizes as JSON'),
];

export const checkpointOption: OptionSpec = {
  flags: ['-c', '--checkpoint-interval'],
  dest: 'checkpointInterval',
  metavar: 'SECONDS',
  parse: parseInteger,
  fallback: 1800,
  help: 'write a checkpoint every SECONDS seconds (default: 1800)',
};

export const timestampOption: OptionSpec = {
  flags: ['--timestamp'],
  dest: 'timestampNs',
  metavar: 'TIMESTAMP',
  parse: parseTimestamp,
  completes: 'files',
  help: 'the date and time of the archive (UTC, yyyy-mm-ddThh:mm:ss), or a file or directory to take it from',
};

export const chunkerParamsOption: OptionSpec = {
  flags: ['--chunker-params'],
  dest: 'chunkerParams',
  metavar: 'PARAMS',
  action: 'once',
  parse: chunkerParams,
  help: 'how to cut files: ALGO,CHUNK_MIN_EXP,CHUNK_MAX_EXP,HASH_MASK_BITS,HASH_WINDOW_SIZE (default: buzhash,19,23,21,4095)',
};

export const archiveOptions: OptionGroup = {
  title: 'Archive options',
  options: [commentOption, timestampOption, checkpointOption, chunkerParamsOption, compressionOption],
};
