import { claimSnapshot } from '../controllers/feature-flag/snapshot-store.ts';
import type { FlagSources } from '../controllers/feature-flag/sources.ts';
import type { Surroundings } from './surroundings.ts';

/** Evaluators of a namespace, such as those of gateways in ours, find a ruleset whether it has flags or not. */
export function claimRuleset(
  { client, logger, snapshots }: Pick<Surroundings, 'client' | 'logger'> & Pick<FlagSources, 'snapshots'>,
  flagSet: string,
  signal: AbortSignal,
): void {
  claimSnapshot({ client, snapshots }, flagSet, signal).catch((err) => {
    if (!signal.aborted) logger.warn({ err, flagSet }, 'the ruleset of a namespace was not begun');
  });
}
