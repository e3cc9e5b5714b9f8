/** Integers of 8 bytes as the processor has them. */
import { littleEndian } from '../../platform/linux.ts';

const HIGH = 2 ** 32;

/** Beyond 2^53 it is not exact, but no number of ours is there either: whoever looks it up does not find it. */
export function getInteger64(view: DataView, offset: number): number {
  const first = view.getUint32(offset, littleEndian);
  const second = view.getUint32(offset + 4, littleEndian);
  return littleEndian ? second * HIGH + first : first * HIGH + second;
}

export function setInteger64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset + (littleEndian ? 0 : 4), value % HIGH, littleEndian);
  view.setUint32(offset + (littleEndian ? 4 : 0), Math.floor(value / HIGH), littleEndian);
}
