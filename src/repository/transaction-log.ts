/**
 * `transactions` in an append-only repository: one line for each, so that an administrator can find the state to go
 * back to. Source: Borg 1.4.5 repository.py, write_index.
 */
import type { Store } from '../store/store.ts';
import { fromUtf8 } from '../util/bytes.ts';

const TRANSACTIONS = 'transactions';

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
