import { readFlag } from '../../core/flags/flag-source.ts';
import type { ObservedFlag } from '../../core/flags/observed.ts';
import { authorOf } from './author.ts';
import type { FlagObject } from './sources.ts';

/** A FeatureFlag that was read and compiled by itself. Objects of a cache never change, so this is done once for each. */
export function observedFlag(object: FlagObject): ObservedFlag {
  const known = observed.get(object);
  if (known) return known;
  const made = observe(object);
  observed.set(object, made);
  return made;
}

const observed = new WeakMap<FlagObject, ObservedFlag>();

function observe(object: FlagObject): ObservedFlag {
  const { source, status, text, spec } = readFlag(object);
  const author = text === undefined ? undefined : authorOf(object, text);
  return {
    source,
    generation: object.metadata.generation ?? 0,
    status,
    spec: text,
    author: author?.by,
    changedAt: author?.at,
    purpose: spec?.purpose,
    expiresAt: spec?.expiresAfter,
  };
}
