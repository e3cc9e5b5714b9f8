/** fast-check with the usual seed: the same cases in each run, others with ALCOVE_SEED. */
import { configureGlobal } from 'fast-check';
import { usualSeed } from './random.ts';

configureGlobal({ seed: usualSeed() });

export * from 'fast-check';
