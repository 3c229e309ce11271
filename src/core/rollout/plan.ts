import type { InFlight } from '../../api/rollout-status.ts';
import { FULL_WEIGHT_BP, type WeightBp } from '../../base/units.ts';
import type { RoutePlan } from './route-plan.ts';
import { isPartial, perUserOf } from './sticky.ts';

/** A number of percent as basis points. */
export const toBp = (percent: number): WeightBp => Math.round(percent * 100) as WeightBp;

/** Stages in which the routes are the user's own again, or not ours yet. */
const original = new Set<InFlight['stage']>([
  'Preparing',
  'SettlingEndpoints',
  'Observing',
  'ReturningRoute',
  'DrainingRoute',
  'HandingOver',
  'Resuming',
  'FinishingRoute',
  'Unpinning',
  'Cleaning',
  'RestoringRoute',
  'UnpinningStable',
  'CleaningUp',
]);

/** What of a flight says where traffic goes. */
type Aims = Pick<InFlight, 'hash' | 'stage' | 'steps' | 'stickiness' | 'weightBp' | 'matchStep' | 'shadowStep'>;

/** What the routes shall do, as far as status says: the only way from status to a plan. */
export function planOf(flight: Aims | undefined): RoutePlan {
  if (!flight || original.has(flight.stage)) return { kind: 'Original' };
  // Between 0 and 100 % the evaluators know the weight, and the route only what they call canary.
  const canaryBp = (isPartial(flight) ? 0 : flight.weightBp) as WeightBp;
  const perUser = perUserOf(flight);
  const match = flight.matchStep === undefined ? undefined : flight.steps[flight.matchStep]?.match;
  const shadow = flight.shadowStep === undefined ? undefined : flight.steps[flight.shadowStep]?.shadow;
  return {
    kind: 'Split',
    canaryBp,
    ...(match ? { match } : {}),
    ...(perUser ? { perUser } : {}),
    ...(shadow ? { shadow } : {}),
  };
}

/** The flight with the aims of `step`: its weight or match rule on top of what was there. A mirror ends with its step. Past the last step that is all traffic. */
export function withAims(flight: InFlight, step: number): InFlight {
  const { shadowStep: _endsWithItsStep, ...kept } = flight;
  return { ...kept, step, ...aimsOf(flight, step) };
}

function aimsOf(
  { steps, fastRevert }: Pick<InFlight, 'steps' | 'fastRevert'>,
  step: number,
): Partial<Pick<InFlight, 'weightBp' | 'matchStep' | 'shadowStep'>> {
  const entered = steps[step];
  if (fastRevert || !entered) return { weightBp: FULL_WEIGHT_BP };
  if (entered.weight !== undefined) return { weightBp: toBp(entered.weight) };
  if (entered.match) return { matchStep: step };
  return entered.shadow ? { shadowStep: step } : {};
}

/** Every plan that these steps come to, one after the other, and the last: all traffic. The revision is any: only the shape of its rules counts. */
export function plansOf({ steps, stickiness }: Pick<InFlight, 'steps' | 'stickiness'>): RoutePlan[] {
  let aims: Aims = { hash: 'revision', stage: 'Holding', steps, weightBp: 0, ...(stickiness ? { stickiness } : {}) };
  return [...steps.keys(), steps.length].map((step) => {
    const { shadowStep: _endsWithItsStep, ...kept } = aims;
    aims = { ...kept, ...aimsOf({ steps, fastRevert: false }, step) };
    return planOf(aims);
  });
}

/** The flight with nothing aimed at the canary. */
export function withoutAims(flight: InFlight): InFlight {
  const { shadowStep: _shadow, matchStep: _match, ...kept } = flight;
  return { ...kept, weightBp: 0 };
}

/** True where `next` sends more to the canary than `now` does. */
export function isRaise(now: InFlight, next: InFlight): boolean {
  const aimed = (index: number | undefined, before: number | undefined) => index !== undefined && index !== before;
  return next.weightBp > now.weightBp || aimed(next.matchStep, now.matchStep) || aimed(next.shadowStep, now.shadowStep);
}
