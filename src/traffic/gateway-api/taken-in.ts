import type { EpochMs } from '../../base/units.ts';
import { type Controllers, whyNotJudged } from './conditions.ts';
import type { HttpRoute } from './http-route.ts';
import { ownRecord } from './record.ts';

interface ReadAt {
  readonly rolloutUid: string;
  readonly controllers: Controllers;
  readonly heldSince?: EpochMs | undefined;
  readonly now: EpochMs;
}

/**
 * Since when the gateways are seen to have judged the last change of ours. Memory only: a new leader sees it anew, and waits
 * so much longer; but for a weight that is held, of which status says that the former one saw it.
 */
export interface TakenIn {
  /** Of the record: which change that is. */
  readonly changedAt: EpochMs;
  readonly since: EpochMs;
}

/**
 * After each read of the route. Changes by others, which gateways judge as well, do not begin it anew. `heldSince`: when the hold
 * of what the route says began, which it does only once that is taken in.
 */
export function sawTakenIn(
  before: TakenIn | undefined,
  route: HttpRoute,
  { rolloutUid, controllers, heldSince, now }: ReadAt,
): TakenIn | undefined {
  const record = ownRecord(route, rolloutUid);
  if (!record || before?.changedAt === record.changedAt) return record && before;
  if (!before && heldSince !== undefined && record.changedAt <= heldSince)
    return { changedAt: record.changedAt, since: heldSince };
  return whyNotJudged(route, controllers) ? undefined : { changedAt: record.changedAt, since: now };
}
