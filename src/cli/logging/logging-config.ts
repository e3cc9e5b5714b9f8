/**
 * The file that BORG_LOGGING_CONF names: which log lines go where, in which form.
 *
 *     [loggers] keys                 names of sections logger_NAME; one is root
 *     [logger_NAME]                  level, handlers, and but for root: qualname, propagate (0 or 1)
 *     [handlers] keys                names of sections handler_NAME
 *     [handler_NAME]                 class StreamHandler or FileHandler, args, level, formatter
 *     [formatters] keys              names of sections formatter_NAME
 *     [formatter_NAME]               format with %(message)s, %(levelname)s, %(name)s, %(asctime)s, %(process)d; datefmt
 *
 * All else that Python would take (other handlers, classes, expressions) is refused by the name of the entry.
 * Source: Python 3, documentation of logging.config, "Configuration file format"; Borg 1.4.5 logger.py, setup_logging.
 */
import { decodeIni, type Ini } from '../../format/ini.ts';
import type { LogLevel } from '../../util/reporter.ts';

export interface LoggingConfig {
  /** By qualified name; that of root is empty. */
  readonly loggers: ReadonlyMap<string, LoggerConfig>;
}

export interface LoggerConfig {
  /** Undefined leaves it to the logger above. */
  readonly level: LogLevel | 'notset' | undefined;
  readonly handlers: readonly HandlerConfig[];
  /** Hand lines on to the handlers of loggers above. */
  readonly propagate: boolean;
}

export interface HandlerConfig {
  readonly target: 'stdout' | 'stderr' | { readonly path: string; readonly append: boolean };
  readonly level: LogLevel | undefined;
  readonly format: string;
  /** As of strftime; empty for ISO with milliseconds. */
  readonly dateFormat: string;
}

/** The file says something that is not for us; the message names the entry. */
export class LoggingConfigError extends Error {
  override readonly name = 'LoggingConfigError';
}

type Section = ReadonlyMap<string, string>;

const levels: Readonly<Record<string, LogLevel>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warning',
  WARN: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
  FATAL: 'critical',
};

const loggerKeys = ['level', 'handlers', 'qualname', 'propagate'];
const handlerKeys = ['class', 'level', 'formatter', 'args', 'kwargs'];
const formatterKeys = ['format', 'datefmt', 'class', 'style'];

/** Throws LoggingConfigError, or IniError where the text is no INI. */
export function decodeLoggingConfig(text: string): LoggingConfig {
  const ini = decodeIni(text);
  const formatters = new Map(
    namesIn(ini, 'formatters').map((name) => [name, decodeFormatter(ini, `formatter_${name}`)]),
  );
  const handlers = new Map(
    namesIn(ini, 'handlers').map((name) => [name, decodeHandler(ini, `handler_${name}`, formatters)]),
  );
  const loggers = new Map(namesIn(ini, 'loggers').map((name) => decodeLogger(ini, name, handlers)));
  if (!loggers.has('')) throw new LoggingConfigError('[loggers] keys: there is no root');
  return { loggers };
}

function decodeLogger(
  ini: Ini,
  name: string,
  handlers: ReadonlyMap<string, HandlerConfig>,
): [string, LoggerConfig] {
  const title = `logger_${name}`;
  const section = sectionOf(ini, title, loggerKeys);
  const isRoot = name === 'root';
  const qualifiedName = isRoot ? '' : section.get('qualname');
  if (qualifiedName === undefined) throw new LoggingConfigError(`[${title}] qualname is missing`);
  const level = levelOf(title, section, true);
  const propagate = section.get('propagate') ?? '1';
  if (!/^[01]$/.test(propagate)) refuse(title, 'propagate', propagate);
  const names = splitNames(section.get('handlers'));
  const used = names.map((each) => handlers.get(each) ?? refuse(title, 'handlers', each));
  return [qualifiedName, { level, handlers: used, propagate: propagate === '1' }];
}

function decodeHandler(
  ini: Ini,
  title: string,
  formatters: ReadonlyMap<string, Pick<HandlerConfig, 'format' | 'dateFormat'>>,
): HandlerConfig {
  const section = sectionOf(ini, title, handlerKeys);
  const level = levelOf(title, section, false);
  const formatter = section.get('formatter') ?? '';
  const form =
    formatter === ''
      ? { format: '%(message)s', dateFormat: '' }
      : (formatters.get(formatter) ?? refuse(title, 'formatter', formatter));
  const kwargs = section.get('kwargs') ?? '{}';
  if (!/^\{\s*\}$/.test(kwargs)) refuse(title, 'kwargs', kwargs);
  const kind = section.get('class') ?? '';
  const args = section.get('args') ?? '()';
  const target = /^(?:logging\.)?StreamHandler$/.test(kind)
    ? streamOf(args)
    : /^(?:logging\.)?FileHandler$/.test(kind)
      ? fileOf(args)
      : refuse(title, 'class', kind);
  return { target: target ?? refuse(title, 'args', args), level, ...form };
}

function streamOf(args: string): 'stdout' | 'stderr' | undefined {
  const found = /^\(\s*(?:sys\.(stdout|stderr)\s*,?\s*)?\)$/.exec(args);
  return found === null ? undefined : ((found[1] ?? 'stderr') as 'stdout' | 'stderr');
}

/** `('path',)` or `('path', 'mode')`, in quotes of either kind and without escapes. */
function fileOf(args: string): HandlerConfig['target'] | undefined {
  const word = String.raw`(?:'([^'\\]*)'|"([^"\\]*)")`;
  const found = new RegExp(String.raw`^\(\s*${word}\s*(?:,\s*${word}\s*)?,?\s*\)$`).exec(args);
  const path = found?.[1] ?? found?.[2];
  const mode = found?.[3] ?? found?.[4] ?? 'a';
  if (path === undefined || !/^[aw]$/.test(mode)) return undefined;
  return { path, append: mode === 'a' };
}

function decodeFormatter(ini: Ini, title: string): Pick<HandlerConfig, 'format' | 'dateFormat'> {
  const section = sectionOf(ini, title, formatterKeys);
  const kind = section.get('class') ?? '';
  if (!/^(?:(?:logging\.)?Formatter)?$/.test(kind)) refuse(title, 'class', kind);
  const style = section.get('style') ?? '%';
  if (style !== '%') refuse(title, 'style', style);
  const format = section.get('format') || '%(message)s';
  const rest = format.replaceAll(/%%|%\((?:message|levelname|name|asctime)\)-?\d*s|%\(process\)0?\d*d/g, '');
  if (rest.includes('%')) refuse(title, 'format', format);
  return { format, dateFormat: section.get('datefmt') ?? '' };
}

function levelOf(title: string, section: Section, isLogger: true): LogLevel | 'notset' | undefined;
function levelOf(title: string, section: Section, isLogger: false): LogLevel | undefined;
function levelOf(title: string, section: Section, isLogger: boolean): LogLevel | 'notset' | undefined {
  const text = section.get('level');
  if (text === undefined) return undefined;
  if (text === 'NOTSET') return isLogger ? 'notset' : undefined;
  return levels[text] ?? refuse(title, 'level', text);
}

function namesIn(ini: Ini, title: string): string[] {
  const keys = ini.get(title)?.get('keys');
  if (keys === undefined) throw new LoggingConfigError(`[${title}] keys is missing`);
  return splitNames(keys);
}

const splitNames = (text = ''): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

function sectionOf(ini: Ini, title: string, known: readonly string[]): Section {
  const section = ini.get(title);
  if (section === undefined) throw new LoggingConfigError(`[${title}] is missing`);
  for (const [key, value] of section) if (!known.includes(key)) refuse(title, key, value);
  return section;
}

function refuse(title: string, key: string, value: string): never {
  throw new LoggingConfigError(`[${title}] ${key}: cannot use ${value === '' ? 'an empty value' : value}`);
}
