import { setImmediate } from 'node:timers/promises';
import { readFlag } from '../../core/flags/flag-source.ts';
import type { ObservedFlag } from '../../core/flags/observed.ts';
import { authorOf } from './author.ts';
import type { FlagObject } from './sources.ts';

/** Flags that are compiled without a pause, about a millisecond each: a rollback of a Rollout must not wait for thousands. */
const AT_A_TIME = 20;

/** All of them, read once each; lets others work in between. */
export async function observedFlags(objects: readonly FlagObject[], signal: AbortSignal): Promise<ObservedFlag[]> {
  let fresh = 0;
  for (const object of objects) {
    if (observed.has(object)) continue;
    observedFlag(object);
    fresh += 1;
    if (fresh % AT_A_TIME === 0) await setImmediate(undefined, { signal });
  }
  return objects.map(observedFlag);
}

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
