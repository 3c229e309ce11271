import type { FeatureFlagStatus } from '../../api/feature-flag-status.ts';
import { parseFeatureFlag, parseFeatureFlagStatus } from '../../api/parse.ts';
import type { Problem } from '../../api/problem.ts';
import { type CompiledSpec, compileSpec } from '../../core/flags/compile-spec.ts';
import { lastAccepted } from '../../core/flags/history.ts';
import type { ObservedFlag } from '../../core/flags/observed.ts';
import type { Flag } from '../../wire/flag.ts';
import { authorOf, specTextOf } from './author.ts';
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
  const { name, namespace = '', uid = '', creationTimestamp = '', generation = 0 } = object.metadata;
  const parsed = parseFeatureFlag(object);
  const flag = parsed.ok ? parsed.flag.spec : undefined;
  const said = (object.spec ?? {}) as { key?: unknown; killSwitch?: unknown; enabled?: unknown };
  const key = typeof said.key === 'string' ? said.key : name;
  const status = statusOf(object);
  const spec = specTextOf(object);
  const author = spec === undefined ? undefined : authorOf(object, spec);
  const current: CompiledSpec = parsed.ok
    ? compileSpec(namespace, key, parsed.flag.spec)
    : { ok: false, problems: parsed.problems.map(({ path, message }: Problem) => ({ path, message })) };
  return {
    source: {
      name,
      uid,
      createdAt: creationTimestamp,
      key,
      current,
      lastGood: lastGoodOf(object, key, status, spec, current),
      killSwitch: said.killSwitch === true,
      enabled: said.enabled !== false,
    },
    generation,
    status,
    spec,
    author: author?.by,
    changedAt: author?.at,
    purpose: flag?.purpose,
    expiresAt: flag?.expiresAfter,
  };
}

/** A status that cannot be read counts as none: it is written anew. */
function statusOf({ status }: FlagObject): FeatureFlagStatus {
  const parsed = parseFeatureFlagStatus(status);
  return parsed.ok ? parsed.status : { conditions: [], history: [] };
}

function lastGoodOf(
  object: FlagObject,
  key: string,
  { history }: FeatureFlagStatus,
  spec: string | undefined,
  current: CompiledSpec,
): Flag | undefined {
  const good = lastAccepted(history);
  if (!good) return undefined;
  if (good.spec === spec) return current.ok ? current.flag : undefined;
  try {
    const parsed = parseFeatureFlag({ ...object, status: undefined, spec: JSON.parse(good.spec) });
    const compiled = parsed.ok ? compileSpec(object.metadata.namespace ?? '', key, parsed.flag.spec) : undefined;
    return compiled?.ok ? compiled.flag : undefined;
  } catch {
    return undefined; // what stands in a status was not written by us
  }
}
