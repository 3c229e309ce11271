import { parseMetric, parseRollout, parseRolloutStatus } from '../../api/parse.ts';
import type { CustomObject } from './sources.ts';

/** A reading of an object that is kept as long as the object: caches hand out the same one until it changes. */
export function keptFor<Source extends object, Reading extends object>(
  read: (object: Source) => Reading,
): (object: Source) => Reading {
  const kept = new WeakMap<Source, Reading>();
  return (object) => {
    const known = kept.get(object);
    if (known) return known;
    const reading = read(object);
    kept.set(object, reading);
    return reading;
  };
}

/** As in `src/api/parse.ts`. A Rollout in flight is looked at with every sample, and most samples change nothing of it. */
export const parsedRollout = keptFor(parseRollout);
export const parsedStatus = keptFor(({ status }: CustomObject) => parseRolloutStatus(status));
export const parsedMetric = keptFor(parseMetric);
