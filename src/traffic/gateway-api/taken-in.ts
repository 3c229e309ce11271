import type { EpochMs } from '../../base/units.ts';
import { type Controllers, whyNotJudged } from './conditions.ts';
import type { HttpRoute } from './http-route.ts';
import { ownRecord } from './record.ts';

/**
 * Since when the gateways are seen to have judged the last change of ours. Memory only: a new leader sees it anew, and waits
 * so much longer.
 */
export interface TakenIn {
  /** Of the record: which change that is. */
  readonly changedAt: EpochMs;
  readonly since: EpochMs;
}

/** After each read of the route. Changes by others, which gateways judge as well, do not begin it anew. */
export function sawTakenIn(
  before: TakenIn | undefined,
  route: HttpRoute,
  { rolloutUid, controllers, now }: { rolloutUid: string; controllers: Controllers; now: EpochMs },
): TakenIn | undefined {
  const record = ownRecord(route, rolloutUid);
  if (!record || before?.changedAt === record.changedAt) return record && before;
  return whyNotJudged(route, controllers) ? undefined : { changedAt: record.changedAt, since: now };
}
