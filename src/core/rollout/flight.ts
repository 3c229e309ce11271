import type { InFlight, RetreatReason, RolloutStatus, Stage } from '../../api/rollout-status.ts';
import type { DurationMs, EpochMs } from '../../base/units.ts';
import { after } from '../../base/units.ts';
import type { Move } from './decision.ts';
import type { Observed } from './observed.ts';
import { withoutAims } from './plan.ts';

/** From the hand-over on there is nothing left to roll back. */
const finishing = new Set<Stage>(['Resuming', 'FinishingRoute', 'Unpinning', 'Cleaning']);
/** Between 100 % and the hand-over: not a step any more, but still able to go back. */
const promoting = new Set<Stage>([
  'Baking',
  'ClearingRules',
  'PinningCanary',
  'ReturningRoute',
  'DrainingRoute',
  'HandingOver',
]);

export const isFinishing = (flight: InFlight): boolean => finishing.has(flight.stage);
export const isPromoting = (flight: InFlight): boolean => promoting.has(flight.stage);
/** Past baking the promotion is not stopped by a pause or a silent provider; harm still stops it. */
export const isCommitted = (flight: InFlight): boolean => isPromoting(flight) && flight.stage !== 'Baking';

/** The flight in the next stage. */
export const enter = (flight: InFlight, stage: Stage, now: EpochMs): InFlight => ({
  ...flight,
  stage,
  stageSince: now,
});

/** Nothing to write; `recheckAt` says when time alone may change that. */
export const wait = (reason: string, message: string, recheckAt?: EpochMs): Move => ({
  reason,
  message,
  ...(recheckAt === undefined ? {} : { recheckAt }),
});

/** Waits until `ms` have passed since `since`; undefined when they have. */
export function waitFor(
  since: EpochMs,
  ms: DurationMs,
  now: EpochMs,
  reason: string,
  message: string,
): Move | undefined {
  const end = after(since, ms);
  return now < end ? wait(reason, message, end) : undefined;
}

/** What a flight enters once gateways had time to take in the EndpointSlices. */
interface Entered {
  readonly stage: Stage;
  readonly reason: string;
  readonly message: string;
}

/** Waits until `settle` has passed in the present stage, then enters the next. */
export const settleThen = (
  flight: InFlight,
  settle: DurationMs,
  now: EpochMs,
  { stage, reason, message }: Entered,
): Move =>
  waitFor(flight.stageSince, settle, now, 'SettlingEndpoints', 'gateways take in the endpoints') ?? {
    reason,
    message,
    flight: enter(flight, stage, now),
  };

/** Reasons that end in RolledBack: this revision is not tried again by itself. */
const condemns = new Set<RetreatReason>([
  'AbortAsked',
  'Breach',
  'PodsFailing',
  'CannotServe',
  'NoEvidence',
  'ProviderDown',
]);
export const condemnsRevision = (reason: RetreatReason): boolean => condemns.has(reason);

/**
 * The move that takes all traffic from the canary. The route is written first, then status: the next leader finds either
 * both or the record on the route.
 */
export function beginRetreat(
  seen: Observed,
  flight: InFlight,
  reason: RetreatReason,
  message: string,
  now: EpochMs,
): Move {
  const condemned = condemnsRevision(reason);
  const set: Partial<RolloutStatus> = condemned ? { rolledBack: { hash: flight.hash, at: now, reason, message } } : {};
  const { lowered: _lowered, ...kept } = withoutAims(flight);
  return {
    reason,
    message,
    writes: seen.routes.length > 0 ? [{ kind: 'Lower', verdict: condemned ? 'RolledBack' : 'Lowered' }] : [],
    flight: { ...enter(kept, 'Lowering', now), retreat: { reason, message, at: now } },
    set,
    tell: [
      {
        type: condemned ? 'Warning' : 'Normal',
        reason: condemned ? 'RollingBack' : 'GoingBack',
        message: `${flight.hash}: ${message}`,
      },
    ],
  };
}

interface Revision {
  readonly hash: string;
  readonly digest?: string | undefined;
}

/** Equal templates. The hash of a set that a short history removed is gone with it; the digest stays. */
export const sameRevision = (a: Revision, b: Revision): boolean =>
  a.hash === b.hash || (a.digest !== undefined && a.digest === b.digest);
