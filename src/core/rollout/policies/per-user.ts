import { after, type DurationMs, type EpochMs } from '../../../base/units.ts';
import type { Move, Policy } from '../decision.ts';
import { wait } from '../flight.ts';
import { withAims } from '../plan.ts';
import { isPartial } from '../sticky.ts';
import { type NotReady, whyNobodyAsks, whyNotPerUser } from '../sticky-ready.ts';
import { climbing, interrupted } from './advance.ts';

/** What evaluators say is looked at, not told. */
const LOOK_MS = 1_000 as DurationMs;

/**
 * Units go to the canary in this order: policies attached and evaluators there, status, ruleset, all evaluators run it, and
 * only then the route's rule. So nobody meets what a ruleset of an earlier revision says. `promote --full` waits for none of
 * them, as the route itself carries everybody in the end.
 */
export const evaluatorsNotReady: Policy = (seen, now) => {
  const up = climbing(seen);
  if (!up?.flight.stickiness || up.flight.full) return undefined;
  const { flight } = up;
  if (flight.stage === 'Routing') return told(whyNotPerUser(seen, flight), now);
  if (flight.stage !== 'Scaling') return undefined;
  const { lowered, ...kept } = flight;
  const next = withAims(lowered ? { ...kept, weightBp: lowered.weightBp } : kept, flight.step);
  return isPartial(next) ? told(whyNobodyAsks(seen), now) : undefined;
};

/** Evaluators went away in the middle of a hold: everybody is on stable, and that proves nothing about the canary. */
export const evaluatorsLost: Policy = (seen, now) => {
  const up = climbing(seen);
  if (up?.flight.stage !== 'Holding' || up.flight.full) return undefined;
  const move = told(whyNotPerUser(seen, up.flight), now);
  return move && { ...move, flight: interrupted(up.flight, now) };
};

function told(why: NotReady | undefined, now: EpochMs): Move | undefined {
  if (!why) return undefined;
  const { reason, message, isDue } = why;
  return {
    ...wait(reason, message, after(now, LOOK_MS)),
    writes: isDue ? [{ kind: 'AttachPolicies' }] : [],
    claims: [{ type: 'TrafficProgrammed', status: 'False', reason, message }],
  };
}
