import { createHash } from 'node:crypto';

/** Who is asked: each call builds its context, as an application does. */
export interface Evaluator {
  readonly name: string;
  readonly version: string;
  readonly evaluate: (unit: string, country: string) => boolean;
}

export const FLAG = 'one-page-checkout';
export const sampleSize = 4_096;

/** Texts like uuids, the same in every run. */
const units = Array.from({ length: sampleSize }, (_, index) =>
  createHash('sha256')
    .update(`${index}`)
    .digest('hex')
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
);
const countries = ['DE', 'AT'];

/** Asks for the first `count` users; the sum keeps the work from being optimised away. */
export function callOver(evaluate: Evaluator['evaluate'], count = sampleSize): () => number {
  return () => {
    let on = 0;
    for (let index = 0; index < count; index++) {
      if (evaluate(units[index] as string, countries[index & 1] as string)) on++;
    }
    return on;
  };
}
