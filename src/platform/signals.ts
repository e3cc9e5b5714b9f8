/** Signals from outside. */

/** Calls `handler` for each of these signals, which then no longer end the process, until disposed of. */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  handler: (signal: NodeJS.Signals) => void,
): Disposable {
  for (const signal of signals) process.on(signal, handler);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, handler);
    },
  };
}

/** Sends this process a signal. */
export function raiseSignal(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
