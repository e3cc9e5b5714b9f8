/**
 * `transactions` in an append-only repository: one line for each, so that an administrator can find the state to go
 * back to. Source: Borg 1.4.5 repository.py, write_index.
 */
import { MetadataError } from '../format/metadata-fields.ts';
import { decodeTimestamp } from '../format/timestamp.ts';
import { hasCode } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { FileTooLargeError, readWholeFile } from '../store/whole-file.ts';
import { fromUtf8, toUtf8Lossy } from '../util/bytes.ts';

export const TRANSACTIONS = 'transactions';
const MAX_SIZE_BYTES = 256 * 1024 * 1024;

export function appendTransactionLog(store: Store, transactionId: number, nowNs: bigint): void {
  store.appendFile(TRANSACTIONS, fromUtf8(`${encodeTransactionLine(transactionId, nowNs)}\n`));
}

/** `transaction 5, UTC time 2026-01-02T03:04:05.678901` */
export function encodeTransactionLine(transactionId: number, nowNs: bigint): string {
  const microseconds = nowNs / 1000n;
  const seconds = new Date(Number(microseconds / 1000n)).toISOString().slice(0, 19);
  const fraction = String(microseconds % 1_000_000n).padStart(6, '0');
  return `transaction ${transactionId}, UTC time ${seconds}.${fraction}`;
}

/** Undefined where the line is no such one. */
export function decodeTransactionLine(line: string): { transactionId: number; timeNs: bigint } | undefined {
  const groups = /^transaction (?<id>[0-9]{1,10}), UTC time (?<time>\S{1,40})\s*$/.exec(line)?.groups;
  if (groups === undefined) return undefined;
  try {
    return { transactionId: Number(groups['id']), timeNs: decodeTimestamp(groups['time']!) };
  } catch (error) {
    if (error instanceof MetadataError) return undefined;
    throw error;
  }
}

/**
 * When transactions were committed, by the log; nothing where there is none. A transaction whose line is followed by one
 * of a lower number, or its own, had been taken back.
 */
export function readTransactionTimes(store: Store): Map<number, bigint> {
  const times = new Map<number, bigint>();
  let highest = -1;
  for (const line of readLines(store)) {
    const decoded = decodeTransactionLine(line);
    if (decoded === undefined) continue;
    const { transactionId, timeNs } = decoded;
    if (transactionId <= highest) {
      for (const id of times.keys()) if (id >= transactionId) times.delete(id);
    }
    times.set(transactionId, timeNs);
    highest = transactionId;
  }
  return times;
}

/** The file's text without the lines of later transactions; undefined where it has none of them. */
export function transactionLogUpTo(store: Store, transactionId: number): string | undefined {
  const lines = readLines(store);
  const kept = lines.filter((line) => (decodeTransactionLine(line)?.transactionId ?? -1) <= transactionId);
  return kept.length === lines.length ? undefined : kept.join('\n');
}

function readLines(store: Store): string[] {
  try {
    return toUtf8Lossy(readWholeFile(store, TRANSACTIONS, MAX_SIZE_BYTES)).split('\n');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof FileTooLargeError) return [];
    throw error;
  }
}
