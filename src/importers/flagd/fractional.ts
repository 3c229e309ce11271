import { Refusal } from '../imported.ts';
import { attributeOf, listOf, operationOf } from './condition.ts';

/** A split of flagd's, which hashes salt and unit without anything between. */
export interface Fractional {
  readonly unit: string;
  readonly salt: string;
  readonly split: { variant: string; weight: number }[];
}

const MAX_WEIGHT = 1_000_000;

/** `{ "fractional": [ BUCKET_BY?, [VARIANT, WEIGHT]… ] }`; the weight is 1 where it is left out. */
export function fractionalOf(operand: unknown, flagKey: string, path: readonly PropertyKey[]): Fractional {
  const args = listOf(operand);
  const hasBucketBy = !Array.isArray(args[0]);
  const drawing = hasBucketBy ? drawingOf(args[0], flagKey, [...path, 0]) : { unit: 'targetingKey', salt: flagKey };
  const arms = hasBucketBy ? args.slice(1) : args;
  return { ...drawing, split: arms.map((arm, index) => armOf(arm, [...path, hasBucketBy ? index + 1 : index])) };
}

function armOf(arm: unknown, path: readonly PropertyKey[]): { variant: string; weight: number } {
  const [variant, weight = 1] = Array.isArray(arm) ? arm : [];
  const isWhole = Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT;
  if (typeof variant !== 'string' || !isWhole)
    throw new Refusal(path, 'is no variant with a whole weight up to a million');
  return { variant, weight };
}

/** The attribute at the end of a `cat`, and all before it as salt; the flag's key stands for itself. */
function drawingOf(bucketBy: unknown, flagKey: string, path: readonly PropertyKey[]): { unit: string; salt: string } {
  const [name, operand] = operationOf(bucketBy, path);
  const parts = name === 'cat' ? listOf(operand) : [bucketBy];
  const salt = parts
    .slice(0, -1)
    .map((part) => saltPart(part, flagKey, path))
    .join('');
  if (salt === '')
    throw new Refusal(path, 'draws without a salt, alike in every flag: put the key of the flag before the attribute');
  return { unit: attributeOf(parts.at(-1), path), salt };
}

function saltPart(part: unknown, flagKey: string, path: readonly PropertyKey[]): string {
  if (typeof part === 'string') return part;
  const [name, operand] = operationOf(part, path);
  if (name !== 'var' || listOf(operand)[0] !== '$flagd.flagKey') throw new Refusal(path, 'draws by several attributes');
  return flagKey;
}
