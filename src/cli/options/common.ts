import type { LogLevel } from '../../util/reporter.ts';
import { flag } from './flag.ts';
import type { OptionGroup, OptionSpec } from './option.ts';
import { parseInteger, parseOctal } from './values.ts';

/** What every command gets. Source: Borg 1.4.5 archiver.py, define_common_options. */
export interface CommonArgs {
  readonly help: boolean;
  readonly logLevel: LogLevel;
  readonly debugTopics: readonly string[];
  readonly progress: boolean;
  readonly iec: boolean;
  readonly logJson: boolean;
  readonly lockWait: number;
  /** False with --bypass-lock. */
  readonly lock: boolean;
  readonly showVersion: boolean;
  readonly showRc: boolean;
  readonly umask: number;
  readonly remotePath: string | undefined;
  /** KiB/s. */
  readonly uploadRatelimit: number | undefined;
  /** MiB. */
  readonly uploadBuffer: number | undefined;
  readonly considerPartFiles: boolean;
  readonly debugProfile: string | undefined;
  readonly rsh: string | undefined;
}

const level = (flags: readonly string[], constant: LogLevel, help: string): OptionSpec => ({
  flags,
  dest: 'logLevel',
  action: 'constant',
  constant,
  fallback: 'warning',
  help,
});

export const commonOptions: OptionGroup = {
  title: 'Common options',
  options: [
    flag(['-h', '--help'], 'help', 'show this help and exit'),
    level(['--critical'], 'critical', 'say only what is critical'),
    level(['--error'], 'error', 'say errors and worse'),
    level(['--warning'], 'warning', 'say warnings and worse (default)'),
    level(['--info', '-v', '--verbose'], 'info', 'say also what is being done'),
    level(['--debug'], 'debug', 'say also what helps to find a fault'),
    {
      flags: ['--debug-topic'],
      dest: 'debugTopics',
      metavar: 'TOPIC',
      action: 'append',
      fallback: [],
      help: 'debug TOPIC, short for the logger borg.debug.TOPIC; can be given more than once',
    },
    flag(['-p', '--progress'], 'progress', 'show progress'),
    flag('--iec', 'iec', 'show sizes in units of 1024 (1 KiB = 1024 B)'),
    flag('--log-json', 'logJson', 'write one JSON object per log line instead of text'),
    {
      flags: ['--lock-wait'],
      dest: 'lockWait',
      metavar: 'SECONDS',
      parse: parseInteger,
      fallback: 1,
      help: 'wait at most SECONDS for a lock (default: 1)',
    },
    {
      flags: ['--bypass-lock'],
      dest: 'lock',
      action: 'constant',
      constant: false,
      fallback: true,
      help: 'read without taking locks, e.g. from a read-only file system',
    },
    flag('--show-version', 'showVersion', 'log the version'),
    flag('--show-rc', 'showRc', 'log the exit code'),
    {
      flags: ['--umask'],
      dest: 'umask',
      metavar: 'M',
      parse: parseOctal,
      fallback: 0o077,
      help: 'set the umask to M, in octal (default: 0077)',
    },
    {
      flags: ['--remote-path'],
      dest: 'remotePath',
      metavar: 'PATH',
      help: 'the program to run on the remote side (default: "borg")',
    },
    {
      flags: ['--remote-ratelimit'],
      dest: 'uploadRatelimit',
      metavar: 'RATE',
      parse: parseInteger,
      help: 'the same as --upload-ratelimit',
    },
    {
      flags: ['--upload-ratelimit'],
      dest: 'uploadRatelimit',
      metavar: 'RATE',
      parse: parseInteger,
      help: 'upload at most RATE KiB/s (default: 0, no limit)',
    },
    {
      flags: ['--remote-buffer'],
      dest: 'uploadBuffer',
      metavar: 'UPLOAD_BUFFER',
      parse: parseInteger,
      help: 'the same as --upload-buffer',
    },
    {
      flags: ['--upload-buffer'],
      dest: 'uploadBuffer',
      metavar: 'UPLOAD_BUFFER',
      parse: parseInteger,
      help: 'hold up to UPLOAD_BUFFER MiB that wait to be sent (default and least: 4)',
    },
    flag('--consider-part-files', 'considerPartFiles', 'treat part files like other files'),
    {
      flags: ['--debug-profile'],
      dest: 'debugProfile',
      metavar: 'FILE',
      help: 'write an execution profile into FILE',
    },
    {
      flags: ['--rsh'],
      dest: 'rsh',
      metavar: 'RSH',
      help: 'the command that connects to the remote side (default: "ssh")',
    },
  ],
};
