/**
 * Decides which paths an operation is about: the first rule that matches wins, full paths before all others.
 *
 * Source: Borg 1.4.5, patterns.py, PatternMatcher.
 */
import { decodeSurrogateEscaped } from '../../util/surrogate-escape.ts';
import { stripLeadingSlashes } from '../../util/posix-path.ts';
import { parsePattern, Pattern } from './pattern.ts';
import type { MatchCommand, PatternRule } from './pattern-command.ts';

/** A matcher as it can be sent to another thread. */
export interface MatcherDescription {
  readonly rules: readonly (Pick<Pattern, 'style' | 'original' | 'recurseDir'> & {
    readonly command: MatchCommand;
  })[];
  readonly fullPaths: ReadonlyMap<string, MatchCommand>;
  readonly fallback: boolean;
}

export class PatternMatcher {
  readonly #rules: PatternRule[] = [];
  readonly #fullPaths = new Map<string, MatchCommand>();
  #includePatterns: Pattern[] = [];
  #fallback: boolean;
  #recurseDir = true;

  /** `fallback`: the answer for paths that no rule matches. */
  constructor(fallback = true) {
    this.#fallback = fallback;
  }

  /** Rules first, then the paths of the command line; without any path all is included that no rule excludes. */
  static build(rules: Iterable<PatternRule>, includePaths: Iterable<string> = []): PatternMatcher {
    const matcher = new PatternMatcher();
    matcher.addRules(rules);
    matcher.addIncludePaths(includePaths);
    return matcher;
  }

  /** A matcher that answers as the described one; it knows nothing of what was matched there. */
  static fromDescription({ rules, fullPaths, fallback }: MatcherDescription): PatternMatcher {
    const matcher = new PatternMatcher(fallback);
    for (const { style, original, recurseDir, command } of rules) {
      matcher.#rules.push({ pattern: new Pattern(style, original, recurseDir), command });
    }
    for (const [path, command] of fullPaths) matcher.#fullPaths.set(path, command);
    return matcher;
  }

  get description(): MatcherDescription {
    const rules = this.#rules.map(({ pattern: { style, original, recurseDir }, command }) => {
      return { style, original, recurseDir, command };
    });
    return { rules, fullPaths: this.#fullPaths, fallback: this.#fallback };
  }

  /** True where there is nothing to match with. */
  get empty(): boolean {
    return this.#rules.length === 0 && this.#fullPaths.size === 0;
  }

  /** Whether to look inside of a directory that the last `match` was about, even if it is excluded. */
  get recurseDir(): boolean {
    return this.#recurseDir;
  }

  /** A matcher of the same rules, which more can be added to. */
  copy(): PatternMatcher {
    const matcher = new PatternMatcher(this.#fallback);
    matcher.#rules.push(...this.#rules);
    for (const [path, command] of this.#fullPaths) matcher.#fullPaths.set(path, command);
    matcher.#includePatterns = this.#includePatterns;
    return matcher;
  }

  addRules(rules: Iterable<PatternRule>): void {
    for (const rule of rules) {
      if (rule.pattern.style === 'pf') this.#fullPaths.set(rule.pattern.text, rule.command);
      else this.#rules.push(rule);
    }
  }

  addIncludePaths(paths: Iterable<string>): void {
    this.#includePatterns = Array.from(paths, (path) => parsePattern(path, 'pp'));
    this.addRules(this.#includePatterns.map((pattern) => ({ pattern, command: 'include' })));
    this.#fallback = this.#includePatterns.length === 0;
  }

  /** Paths of the command line that no path matched; full paths are not counted. */
  unmatchedIncludePatterns(): string[] {
    return this.#includePatterns
      .filter((pattern) => pattern.matchCount === 0 && pattern.style !== 'pf')
      .map((pattern) => pattern.original);
  }

  /** Whether the path (text as of `decodeSurrogateEscaped`, or bytes) is included. */
  match(path: string | Uint8Array): boolean {
    if (this.empty) {
      this.#recurseDir = true;
      return this.#fallback;
    }
    const relative = stripLeadingSlashes(typeof path === 'string' ? path : decodeSurrogateEscaped(path));
    const command = this.#fullPaths.get(relative);
    if (command !== undefined) {
      this.#recurseDir = command !== 'exclude-no-recurse';
      return command === 'include';
    }
    const directory = `${relative}/`;
    for (const rule of this.#rules) {
      if (!rule.pattern.matches(relative, directory)) continue;
      this.#recurseDir = rule.pattern.recurseDir;
      return rule.command === 'include';
    }
    this.#recurseDir = true;
    return this.#fallback;
  }
}
