import type { FeatureFlagStatus } from '../api/feature-flag-status.ts';
import { SluiceError } from '../base/errors.ts';
import { findFlag } from '../flags/find-flag.ts';
import * as flags from '../flags/flag-object.ts';
import type { Connection } from './ports.ts';
import { withoutControls } from './text.ts';

/** What applications ask for, with nothing in it that could steer a terminal. */
export const keyOfFlag = (flag: flags.FlagObject): string => withoutControls(flags.keyOfFlag(flag));

/** The flag of a key, else of a name; of two with one key the older, which is the one that is served. */
export async function getFlag(
  { client, namespace }: Connection,
  key: string,
  signal: AbortSignal,
): Promise<flags.FlagObject> {
  const found = await findFlag(client, namespace, key, signal);
  if (found) return found;
  throw new SluiceError('SLUICE_CLI_NO_FLAG', `there is no FeatureFlag ${key} in the namespace ${namespace}`);
}

/** The status, with nothing in it that could steer a terminal; one that cannot be read counts as empty. */
export function flagStatusOf(flag: flags.FlagObject): FeatureFlagStatus {
  const status = flags.flagStatusOf(flag);
  return {
    ...status,
    conditions: status.conditions.map((one) => ({
      ...one,
      reason: withoutControls(one.reason),
      message: withoutControls(one.message),
    })),
    history: status.history.map((one) => ({ ...one, ...(one.author && { author: withoutControls(one.author) }) })),
  };
}

/** Who applies this object from elsewhere and will overwrite what is changed here; undefined: nobody known. */
export function applierOf(flag: flags.FlagObject): string | undefined {
  const applier = flags.applierOf(flag);
  return applier === undefined ? undefined : withoutControls(applier);
}
