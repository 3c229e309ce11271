import type { Admission, Ranges } from '../../wire/draw.ts';
import { admissionDraw } from './hash.ts';
import type { Context } from './truth.ts';
import { unitOf } from './unit.ts';

/** The unit is absent from the context. */
export const ABSENT = -1;
/** The bucket lies in none of the ranges. */
export const REFUSED = -2;

/** The bucket 0..9999 of the unit if it is admitted, else ABSENT or REFUSED. A number, because it is made on the hot path. */
export type Gate = (context: Context) => number;

export function gateOf({ unit, hash, salt, ranges }: Admission): Gate {
  const draw = admissionDraw(hash, salt);
  return (context) => {
    const value = unitOf(context, unit);
    if (value === undefined) return ABSENT;
    const bucket = draw(value);
    return isIn(ranges, bucket) ? bucket : REFUSED;
  };
}

function isIn(ranges: Ranges, bucket: number): boolean {
  for (const [from, to] of ranges) if (bucket >= from && bucket < to) return true;
  return false;
}
