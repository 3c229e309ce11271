import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { attribute, name, salt } from './names.ts';

/** The closed set of hash names: ours, and those of imported flags. core/evaluation/hash.ts defines each. */
export const HASHES = ['murmur3-32/1', 'growthbook/1', 'growthbook/2', 'unleash/1', 'flagd/2'] as const;
export type HashName = (typeof HASHES)[number];

/** Buckets of every draw but the arms of `unleash/1` and `flagd/2`, which count in the sum of their weights. */
export const BUCKETS = 10_000;
/** In events, the arm of units that a holdout keeps out of an experiment. */
export const HOLDOUT_ARM = 'holdout';
const MAX_SCALE = 2 ** 31 - 1;

export const hash = z.enum(HASHES).describe('How unit and salt become a bucket.');
const bucket = z.int().min(0).max(BUCKETS);

/** Half-open ranges [from, to) of buckets, in any order (growing appends), none overlapping another. */
export const ranges = z
  .array(z.tuple([bucket, bucket]))
  .max(LIMITS.ranges)
  .refine(areDisjoint, 'must be ranges [from, to) with from < to that do not overlap')
  .describe('Half-open ranges [from, to) of the buckets 0..9999.');
export type Ranges = z.output<typeof ranges>;

function areDisjoint(list: readonly (readonly [number, number])[]): boolean {
  const sorted = [...list].sort(([one], [other]) => one - other);
  return sorted.every(([from, to], index) => from < to && (sorted[index + 1]?.[0] ?? BUCKETS) >= to);
}

/** Who takes part: units whose bucket lies in the ranges. */
export const admissionSchema = z.strictObject({ unit: attribute, hash, salt, ranges });
export type Admission = z.output<typeof admissionSchema>;

const end = z
  .int()
  .min(0)
  .max(MAX_SCALE)
  .describe('The first bucket after this arm; the arm begins where the one before it ends.');

/** What they get: the first arm whose `end` lies above the bucket. */
const armsOf = <Arm extends z.ZodType<{ end: number }>>(arm: Arm) =>
  z
    .strictObject({ unit: attribute, hash, salt, arms: z.array(arm).min(1).max(LIMITS.variants) })
    .refine(({ arms }) => arms.every((one, index) => one.end >= (arms[index - 1]?.end ?? 0)), {
      message: 'must have ends that never fall',
      path: ['arms'],
    })
    .refine(({ hash, arms }) => isWholeScale(hash, arms.at(-1)?.end ?? 0), {
      message: `must end at ${BUCKETS}, or for unleash/1 and flagd/2 at the sum of the weights`,
      path: ['arms'],
    });

/** Whether arms that end here cover every bucket of the hash. */
function isWholeScale(hash: HashName, lastEnd: number): boolean {
  return hash === 'unleash/1' || hash === 'flagd/2' ? lastEnd > 0 : lastEnd === BUCKETS;
}

const variant = name('A variant of the flag.');

/** A split of everybody who gets here. */
export const splitSchema = armsOf(z.strictObject({ variant, end }));
export type Split = z.output<typeof splitSchema>;

/** The arms of an experiment. */
export const armsSchema = armsOf(z.strictObject({ name: name('Name of the arm.'), variant, end }));
export type Arms = z.output<typeof armsSchema>;
