import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  appendTransactionLog,
  decodeTransactionLine,
  encodeTransactionLine,
  readTransactionTimes,
  transactionLogUpTo,
} from '../../src/repository/transaction-log.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { fromUtf8 } from '../../src/util/bytes.ts';

const SECOND_NS = 1_000_000_000n;

function logOf(...ids: number[]): MemoryStore {
  const store = new MemoryStore();
  for (const [at, id] of ids.entries()) appendTransactionLog(store, id, BigInt(at) * SECOND_NS);
  return store;
}

describe('decodeTransactionLine()', () => {
  it('reads what encodeTransactionLine() writes, and a time without a fraction', () => {
    const timeNs = 1_767_323_045_678_901_000n;
    assert.deepEqual(decodeTransactionLine(encodeTransactionLine(5, timeNs)), { transactionId: 5, timeNs });
    // Python leaves out microseconds that are 0.
    const whole = { transactionId: 7, timeNs: 86_400n * SECOND_NS };
    assert.deepEqual(decodeTransactionLine('transaction 7, UTC time 1970-01-02T00:00:00'), whole);
  });

  it('takes nothing else', () => {
    for (const line of [
      '',
      'transaction x, UTC time 1970-01-02T00:00:00',
      'transaction 7, UTC time 1970-13-02T00:00:00',
      'transaction 99999999999, UTC time 1970-01-02T00:00:00',
      ' transaction 7, UTC time 1970-01-02T00:00:00',
    ]) {
      assert.equal(decodeTransactionLine(line), undefined, line);
    }
  });
});

describe('readTransactionTimes()', () => {
  it('gives nothing where there is no log', () => {
    assert.equal(readTransactionTimes(new MemoryStore()).size, 0);
  });

  it('goes by the last line of a number, and forgets what it took the place of', () => {
    const times = readTransactionTimes(logOf(1, 5, 11, 12, 8, 12));
    assert.deepEqual(
      [...times],
      [
        [1, 0n],
        [5, SECOND_NS],
        [8, 4n * SECOND_NS],
        [12, 5n * SECOND_NS],
      ],
    );
  });

  it('goes on behind a line that is damaged', () => {
    const store = logOf(1);
    store.appendFile('transactions', fromUtf8('transaction 3, UTC t\0\n'));
    appendTransactionLog(store, 5, SECOND_NS);
    assert.deepEqual([...readTransactionTimes(store).keys()], [1, 5]);
  });
});

describe('transactionLogUpTo()', () => {
  it('leaves out the lines of later transactions, and is undefined without any', () => {
    const store = logOf(1, 5, 11);
    const lines = [encodeTransactionLine(1, 0n), encodeTransactionLine(5, SECOND_NS), ''];
    assert.equal(transactionLogUpTo(store, 5), lines.join('\n'));
    assert.equal(transactionLogUpTo(store, 11), undefined);
    assert.equal(transactionLogUpTo(new MemoryStore(), 0), undefined);
  });
});
