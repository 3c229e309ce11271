import { unreachable } from '../../base/units.ts';
import { BUCKETS, type HashName } from '../../wire/draw.ts';
import { fnv1a } from './fnv1a.ts';
import { hashAfter, murmur3, stateAfter } from './murmur3.ts';

/** Turns a unit into its bucket; pure and total. */
export type Draw = (unit: string) => number;

const HASH_SPACE = 2 ** 32;
/** Unleash draws variants with a seed of its own, so that they do not follow its rollout. */
const UNLEASH_VARIANT_SEED = 86_028_157;

/**
 * Bucket 0..9999 of `murmur3-32/1`: floor(murmur3_x86_32(utf8(salt + ":" + unit), seed 0) × 10000 / 2^32). Exact in
 * doubles for every 32-bit hash, and refinable to 100,000 buckets without moving anyone (docs/decisions/0140).
 */
export function bucketOf(salt: string, unit: string): number {
  return scaled(murmur3(`${salt}:${unit}`, 0), BUCKETS);
}

/** Who takes part: buckets 0..9999 under each hash name. */
export function admissionDraw(hash: HashName, salt: string): Draw {
  // Unleash admits by whole percents: (hash % 100) + 1 <= percent.
  if (hash === 'unleash/1') return murmurDraw(`${salt}:`, 0, (value) => (value % 100) * 100);
  return armDraw(hash, salt, BUCKETS);
}

/** What they get: buckets 0..scale-1. `scale` is 10,000 but for the hashes that count in the sum of weights. */
export function armDraw(hash: HashName, salt: string, scale: number): Draw {
  switch (hash) {
    case 'murmur3-32/1':
      return ownDraw(salt);
    case 'growthbook/1':
      // The remainder of 1,000 is GrowthBook's; ten of our buckets are one of theirs.
      return (unit) => (fnv1a(unit + salt) % 1_000) * 10;
    case 'growthbook/2':
      return (unit) => fnv1a(String(fnv1a(salt + unit))) % BUCKETS;
    case 'unleash/1':
      return murmurDraw(`${salt}:`, UNLEASH_VARIANT_SEED, (value) => value % scale);
    case 'flagd/2':
      return (unit) => Number((BigInt(murmur3(salt + unit, 0)) * BigInt(scale)) >> 32n);
    default:
      return unreachable(hash);
  }
}

function ownDraw(salt: string): Draw {
  const state = stateAfter(`${salt}:`, 0);
  return (unit) => scaled(hashAfter(state, unit), BUCKETS);
}

function murmurDraw(prefix: string, seed: number, bucketOf: (hash: number) => number): Draw {
  const state = stateAfter(prefix, seed);
  return (unit) => bucketOf(hashAfter(state, unit));
}

/** Which of `scale` equal parts of the hash space; the product stays below 2^53 for scales up to 2^20. */
function scaled(hash: number, scale: number): number {
  return Math.floor((hash * scale) / HASH_SPACE);
}
