import { flagKeyOf, flagOf } from '../../core/rollout/sticky.ts';
import type { CacheReader } from '../../kube/cache.ts';
import { canonicalJson } from '../../wire/canonical-json.ts';
import type { Flag } from '../../wire/flag.ts';
import { mayBeSticky } from '../rollout/may-be-sticky.ts';
import { keptFor, parsedRollout, parsedStatus } from '../rollout/parsed.ts';
import type { CustomObject } from '../rollout/sources.ts';

export type RolloutReader = CacheReader<CustomObject, 'namespace'>;

interface RolloutFlag {
  readonly key: string;
  readonly flag: Flag;
}

/**
 * The built-in flags of a flag set: those of the Rollouts of its namespace, and in that of the operator (`home`) those of all,
 * so that the gateway's evaluator needs no other.
 */
export function rolloutFlags(rollouts: RolloutReader, namespace: string, home: string): Readonly<Record<string, Flag>> {
  const concerned = namespace === home ? [...rollouts.list()] : rollouts.byIndex('namespace', namespace);
  const flags = concerned.flatMap((rollout) => flagIn(rollout).found ?? []);
  return Object.fromEntries(flags.map(({ key, flag }) => [key, flag]));
}

/** Whether a change of a Rollout concerns rulesets; most do not. */
export function changesFlag(before: CustomObject | undefined, after: CustomObject | undefined): boolean {
  if (![before, after].some((rollout) => rollout && mayBeSticky(rollout))) return false;
  const textOf = (rollout: CustomObject | undefined) => canonicalJson((rollout && flagIn(rollout).found) ?? null);
  return textOf(before) !== textOf(after);
}

/** From status as it is written, never from what is about to be: evaluators must not be ahead of what a next leader reads. */
const flagIn = keptFor((rollout: CustomObject): { readonly found: RolloutFlag | undefined } => {
  const { name, namespace = '', deletionTimestamp } = rollout.metadata;
  if (!mayBeSticky(rollout)) return { found: undefined };
  const spec = parsedRollout(rollout);
  const status = parsedStatus(rollout);
  const flight = status.ok ? status.status.inFlight : undefined;
  const isSticky = flight?.stickiness !== undefined || (spec.ok && spec.rollout.spec.traffic.stickiness !== undefined);
  if (!isSticky || (deletionTimestamp !== undefined && !flight)) return { found: undefined };
  const ref = { namespace, name };
  return { found: { key: flagKeyOf(ref), flag: flagOf({ ...ref, flight }) } };
});
