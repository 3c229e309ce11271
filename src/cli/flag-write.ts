import { SluiceError } from '../base/errors.ts';
import { type FlagObject, featureFlags } from '../flags/flag-object.ts';
import { goTo, revisionToGoTo } from '../flags/roll-back.ts';
import { isConflict } from '../kube/kube-error.ts';
import { applierOf, flagStatusOf, getFlag, keyOfFlag } from './flags.ts';
import type { Connection } from './ports.ts';

/** What `flag set` changes. */
export interface FlagChange {
  readonly enabled?: boolean;
  readonly defaultVariant?: string;
  /** Weights of one rule's split, by variant; those that are not named stay. */
  readonly weights?: { readonly rule: string; readonly byVariant: ReadonlyMap<string, number> };
}

export interface Written {
  readonly key: string;
  /** Who will overwrite this. */
  readonly applier: string | undefined;
}

/** Turns the kill switch. Needs no version to still stand: whoever kills must not lose a race. */
export async function kill(to: Connection, key: string, on: boolean, signal: AbortSignal): Promise<Written> {
  const flag = await getFlag(to, key, signal);
  const { name, uid } = flag.metadata;
  const merge = { spec: { killSwitch: on } };
  await to.client.patch(featureFlags, { namespace: to.namespace, name }, { merge }, { signal, preconditions: { uid } });
  return written(flag);
}

export function change(to: Connection, key: string, wanted: FlagChange, signal: AbortSignal): Promise<Written> {
  const { enabled, defaultVariant, weights } = wanted;
  return whileSpecStands(to, key, signal, async (flag) => {
    const spec = {
      ...flag.spec,
      ...(enabled !== undefined && { enabled }),
      ...(defaultVariant !== undefined && { defaultVariant }),
      ...(weights && { rules: withWeights(flag, weights) }),
    };
    await to.client.replace(featureFlags, { ...flag, spec }, { signal });
    return written(flag);
  });
}

const MAX_TRIES = 10;

/** Does `write` with the flag as it was read; again where only its status or metadata changed meanwhile, as the operator does. */
async function whileSpecStands<T>(
  to: Connection,
  key: string,
  signal: AbortSignal,
  write: (flag: FlagObject) => Promise<T>,
): Promise<T> {
  let flag = await getFlag(to, key, signal);
  for (let left = MAX_TRIES - 1; ; left--) {
    try {
      return await write(flag);
    } catch (error) {
      if (!isConflict(error) || left === 0) throw error;
      const before = flag.metadata;
      flag = await getFlag(to, key, signal);
      if (flag.metadata.uid !== before.uid || flag.metadata.generation !== before.generation) throw error;
    }
  }
}

interface RuleLike {
  readonly id?: string;
  readonly serve?: { readonly split?: readonly { readonly variant: string; readonly weight: number }[] };
}

function withWeights(flag: FlagObject, { rule, byVariant }: NonNullable<FlagChange['weights']>): RuleLike[] {
  const rules = (flag.spec?.rules ?? []) as readonly RuleLike[];
  const split = rules.find(({ id }) => id === rule)?.serve?.split;
  if (!split) throw new SluiceError('SLUICE_CLI_ARGUMENT', `${keyOfFlag(flag)} has no rule ${rule} with a split`);
  const unknown = [...byVariant.keys()].find((variant) => !split.some((arm) => arm.variant === variant));
  if (unknown !== undefined) {
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `the split of the rule ${rule} has no variant ${unknown}`);
  }
  const weighted = split.map((arm) => ({ ...arm, weight: byVariant.get(arm.variant) ?? arm.weight }));
  return rules.map((one) => (one.id === rule ? { ...one, serve: { ...one.serve, split: weighted } } : one));
}

export interface RolledBack extends Written {
  readonly revision: number;
  /** By the kill switch, before and now. */
  readonly wasKilled: boolean;
  readonly isKilled: boolean;
}

/** Writes the spec of a former revision; without a number, of the newest accepted one before the present. */
export function rollBack(
  to: Connection,
  key: string,
  revision: number | undefined,
  signal: AbortSignal,
): Promise<RolledBack> {
  return whileSpecStands(to, key, signal, async (flag) => {
    const target = revisionToGoTo(flag, revision);
    if (!target) throw noRevision(flag, revision);
    await goTo(to.client, flag, target, signal);
    const wasKilled = flag.spec?.killSwitch === true;
    return { ...written(flag), revision: target.revision, wasKilled, isKilled: target.spec.killSwitch === true };
  });
}

function noRevision(flag: FlagObject, revision: number | undefined): SluiceError {
  const known = flagStatusOf(flag)
    .history.map((one) => one.revision)
    .join(', ');
  const wanted =
    revision === undefined
      ? 'no accepted revision before the present one that differs in more than the kill switch'
      : `no revision ${revision}`;
  return new SluiceError('SLUICE_CLI_NO_REVISION', `${keyOfFlag(flag)} has ${wanted}; it knows ${known || 'none'}`);
}

const written = (flag: FlagObject): Written => ({ key: keyOfFlag(flag), applier: applierOf(flag) });
