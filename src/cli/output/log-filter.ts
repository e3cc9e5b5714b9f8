import type { LogLevel } from '../../util/reporter.ts';
import type { LoggingConfig } from '../logging/logging-config.ts';

/** Which log lines are shown. Source: Borg 1.4.5 archiver.py, _setup_implied_logging and _setup_topic_debugging. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly debugTopics: readonly string[];
  /** Options that ask for output of their own, whatever the level. */
  readonly list: boolean;
  readonly showVersion: boolean;
  readonly showRc: boolean;
  readonly stats: boolean;
  readonly progress: boolean;
}

export const levelNumbers: Readonly<Record<LogLevel, number>> = {
  debug: 10,
  info: 20,
  warning: 30,
  error: 40,
  critical: 50,
};

export class LogFilter {
  readonly #rootLevel: number;
  readonly #levels = new Map<string, number>();

  /** A configuration takes the place of the level that was asked for. */
  constructor(settings: LogSettings, config?: LoggingConfig) {
    this.#rootLevel = levelNumbers[settings.level];
    if (config !== undefined) this.#rootLevel = rootNumber(config);
    for (const [name, { level }] of config?.loggers ?? []) {
      if (name !== '' && level !== undefined && level !== 'notset')
        this.#levels.set(name, levelNumbers[level]);
    }
    const implied = {
      'borg.output.list': settings.list,
      'borg.output.show-version': settings.showVersion,
      'borg.output.show-rc': settings.showRc,
      'borg.output.stats': settings.stats,
      'borg.output.progress': settings.progress,
    };
    for (const [logger, wanted] of Object.entries(implied)) {
      this.#levels.set(logger, wanted ? levelNumbers.info : levelNumbers.warning);
    }
    if (!this.#levels.has('borg.debug')) this.#levels.set('borg.debug', levelNumbers.warning);
    for (const topic of settings.debugTopics) {
      this.#levels.set(topic.includes('.') ? topic : `borg.debug.${topic}`, levelNumbers.debug);
    }
  }

  shows(level: LogLevel, logger: string): boolean {
    return levelNumbers[level] >= this.#levelOf(logger);
  }

  /** The level of the nearest ancestor that has one. */
  #levelOf(logger: string): number {
    for (let name = logger; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
      const level = this.#levels.get(name);
      if (level !== undefined) return level;
    }
    return this.#rootLevel;
  }
}

/** Python's root logger has WARNING unless it is told otherwise. */
function rootNumber({ loggers }: LoggingConfig): number {
  const level = loggers.get('')?.level ?? 'warning';
  return level === 'notset' ? 0 : levelNumbers[level];
}
