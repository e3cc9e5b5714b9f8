/** Every kind of bytes that is decoded, damaged at any place: a value or an error of its own, at once. */
import assert from 'node:assert/strict';
import { initCrypto } from '../../src/crypto/init-crypto.ts';
import { decoders, type Decoder } from '../format/decoders.ts';
import { noise } from '../noise.ts';
import { seededRandom, type Random } from '../random.ts';
import { sample, Tally } from './campaign.ts';
import type { Campaign, CampaignResult } from './campaign.ts';

const LONGEST_MS = 10_000;
const GARBAGE_BYTES = 16;

export const decodeCampaign: Campaign = {
  name: 'decode',
  title: 'damaged bytes, given to each decoder',
  usualCases: 6000,
  async run({ seed, cases, caseId }): Promise<CampaignResult> {
    await initCrypto();
    const tally = new Tally('decode', seed);
    const random = seededRandom(seed);
    const share = Math.ceil(cases / decoders.length);
    for (const decoder of decoders) {
      const wanted = caseId === undefined ? sample(casesOf(decoder), share, random) : [caseId];
      for (const id of wanted) {
        if (!id.startsWith(`${decoder.what}/`)) continue;
        await tally.try(id, decoder.what, async () => tryDecoding(decoder, id));
      }
    }
    return tally.result;
  },
};

/** `WHAT/SAMPLE/DAMAGE/PLACE`: each bit, each length, garbage at each place. */
function casesOf({ what, samples }: Decoder): string[] {
  return samples.flatMap((bytes, number) => {
    const places = [...bytes.keys()];
    return [
      ...places.flatMap((at) => [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => `${what}/${number}/bit ${bit}/${at}`)),
      ...places.map((at) => `${what}/${number}/cut/${at}`),
      ...places.map((at) => `${what}/${number}/garbage/${at}`),
    ];
  });
}

function tryDecoding({ decode, samples, errors }: Decoder, caseId: string): void {
  const [number, damage = '', place] = caseId.split('/').slice(-3);
  const bytes = damaged(samples[Number(number)]!, damage, Number(place), seededRandom(Number(place)));
  const startMs = performance.now();
  try {
    decode(bytes);
  } catch (error) {
    if (!errors.some((one) => error instanceof one)) throw error;
  }
  const elapsedMs = performance.now() - startMs;
  assert.ok(elapsedMs < LONGEST_MS, `took ${elapsedMs} ms`);
}

function damaged(sound: Uint8Array, damage: string, at: number, random: Random): Uint8Array {
  if (damage === 'cut') return sound.slice(0, at);
  const bytes = sound.slice();
  if (damage === 'garbage') {
    bytes.set(noise(Math.min(GARBAGE_BYTES, bytes.length - at), 1 + random.integer(2 ** 31)), at);
  } else {
    bytes[at]! ^= 1 << Number(damage.split(' ')[1]);
  }
  return bytes;
}
