import { BorgError, type BorgWarning } from '../errors.ts';
import type { StopSignal } from './io.ts';

/**
 * Exit codes:
 *
 * | code    | meaning                                                                        |
 * |---------|--------------------------------------------------------------------------------|
 * | 0       | success                                                                        |
 * | 1       | warning: the command reached its end, but look at what it said                 |
 * | 2       | error: the command stopped before its end                                      |
 * | 3–99    | a specific error, with BORG_EXIT_CODES=modern                                  |
 * | 100–127 | a specific warning, with BORG_EXIT_CODES=modern, if all warnings were of a kind |
 * | 128+n   | stopped by signal n                                                            |
 *
 * Source: Borg 1.4.5 constants.py and helpers/__init__.py (classify_ec, max_ec, get_ec).
 */
export const EXIT_SUCCESS = 0;
export const EXIT_WARNING = 1;
export const EXIT_ERROR = 2;
const EXIT_ERROR_BASE = 3;
const EXIT_WARNING_BASE = 100;
const EXIT_SIGNAL_BASE = 128;

const signalNumbers: Readonly<Record<StopSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

export type ExitClass = 'success' | 'warning' | 'error' | 'signal';

/** How a command ended. */
export interface Outcome {
  /** What it threw. */
  readonly error?: unknown;
  /** The signal that ended it. */
  readonly signal?: StopSignal | undefined;
  /** What it asked for itself, e.g. a failed check. */
  readonly requested?: number | undefined;
  readonly warnings: readonly BorgWarning[];
}

export type ExitCodeStyle = 'legacy' | 'modern';

export function exitCode(outcome: Outcome, style: ExitCodeStyle): number {
  if (outcome.signal !== undefined) return EXIT_SIGNAL_BASE + signalNumbers[outcome.signal];
  if (outcome.error !== undefined) return errorCode(outcome.error, style);
  if (outcome.requested !== undefined && outcome.requested !== EXIT_SUCCESS) return outcome.requested;
  const codes = new Set(outcome.warnings.map((warning) => warningCode(warning, style)));
  if (codes.size === 0) return EXIT_SUCCESS;
  return codes.size === 1 ? [...codes][0]! : EXIT_WARNING;
}

export function classifyExitCode(code: number): ExitClass {
  if (code >= EXIT_SIGNAL_BASE && code <= 255) return 'signal';
  if (code === EXIT_ERROR || (code >= EXIT_ERROR_BASE && code < EXIT_WARNING_BASE)) return 'error';
  if (code === EXIT_WARNING || (code >= EXIT_WARNING_BASE && code < EXIT_SIGNAL_BASE)) return 'warning';
  if (code === EXIT_SUCCESS) return 'success';
  throw new RangeError(`not an exit code: ${code}`);
}

function errorCode(error: unknown, style: ExitCodeStyle): number {
  return style === 'modern' && error instanceof BorgError ? error.exitCode : EXIT_ERROR;
}

function warningCode(warning: BorgWarning, style: ExitCodeStyle): number {
  return style === 'modern' ? warning.exitCode : EXIT_WARNING;
}
