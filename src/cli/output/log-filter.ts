import type { LogLevel } from '../../util/reporter.ts';

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

const order: Readonly<Record<LogLevel, number>> = {
  debug: 10,
  info: 20,
  warning: 30,
  error: 40,
  critical: 50,
};

export class LogFilter {
  readonly #rootLevel: number;
  readonly #levels = new Map<string, number>();

  constructor(settings: LogSettings) {
    this.#rootLevel = order[settings.level];
    const implied = {
      'borg.output.list': settings.list,
      'borg.output.show-version': settings.showVersion,
      'borg.output.show-rc': settings.showRc,
      'borg.output.stats': settings.stats,
      'borg.output.progress': settings.progress,
    };
    for (const [logger, wanted] of Object.entries(implied)) {
      this.#levels.set(logger, wanted ? order.info : order.warning);
    }
    this.#levels.set('borg.debug', order.warning);
    for (const topic of settings.debugTopics) {
      this.#levels.set(topic.includes('.') ? topic : `borg.debug.${topic}`, order.debug);
    }
  }

  shows(level: LogLevel, logger: string): boolean {
    return order[level] >= this.#levelOf(logger);
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
