/**
 * Records of a pax header, which says about a member what its own header has no room for:
 *
 *     LENGTH " " KEYWORD "=" VALUE "\n"
 *
 * LENGTH, decimal digits, counts all of the record. A value may be any bytes. NULs may follow the last record.
 *
 * Source: POSIX.1-2017, pax, "pax Extended Header"; Python 3.14, tarfile.py, TarInfo._proc_pax and
 * _create_pax_generic_header.
 */
import { concatBytes, fromBinaryString, toBinaryString } from '../util/bytes.ts';
import { TarFormatError } from './tar-number.ts';

export interface PaxRecord {
  /** As a binary string. */
  readonly keyword: string;
  readonly value: Uint8Array;
}

const MIN_RECORD_BYTES = 5;
const LENGTH = /^([0-9]{1,20}) /;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** @throws TarFormatError */
export function decodePaxRecords(data: Uint8Array): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < data.length && data[at] !== 0;) {
    const digits = LENGTH.exec(toBinaryString(data.subarray(at, at + 21)))?.[1];
    const length = Number(digits);
    if (digits === undefined || length < MIN_RECORD_BYTES || at + length > data.length) {
      throw new TarFormatError(`a pax record of a wrong length (byte ${at} of the pax header)`);
    }
    const end = at + length - 1;
    const start = at + digits.length + 1;
    const equals = data.indexOf(EQUALS, start);
    if (equals <= start || equals >= end || data[end] !== NEWLINE) {
      throw new TarFormatError(`a pax record without keyword or end (byte ${at} of the pax header)`);
    }
    records.push({
      keyword: toBinaryString(data.subarray(start, equals)),
      value: new Uint8Array(data.subarray(equals + 1, end)),
    });
    at += length;
  }
  return records;
}

export function encodePaxRecords(records: readonly PaxRecord[]): Uint8Array {
  return concatBytes(records.map(encodeRecord));
}

function encodeRecord({ keyword, value }: PaxRecord): Uint8Array {
  const rest = keyword.length + value.length + 3;
  let length = rest;
  // The length counts its own digits.
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return concatBytes([fromBinaryString(`${length} ${keyword}=`), value, fromBinaryString('\n')]);
}
