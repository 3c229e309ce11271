import type { Action } from '../../../api/action.ts';
import type { InFlight } from '../../../api/rollout-status.ts';
import { after, type EpochMs } from '../../../base/units.ts';
import type { Move, Policy } from '../decision.ts';
import { beginRetreat, isFinishing, wait } from '../flight.ts';
import type { Observed } from '../observed.ts';

/** What a person asked for, other than abort. Done once; what makes no sense now is refused with a word, not kept for later. */
export const actionAsked: Policy = (seen, now) => {
  const { action } = seen;
  if (!action) return undefined;
  const by = action.by ?? 'unknown';
  const meant = seen.status.inFlight?.hash ?? seen.status.rolledBack?.hash;
  if (action.revision !== undefined && action.revision !== meant)
    return refuse(seen, action, `it was meant for ${action.revision}, not for ${meant ?? 'a rollout that is over'}`);
  const done = effect(seen, action, now);
  return typeof done === 'string' ? refuse(seen, action, done) : { ...done, by };
};

type Effect = (seen: Observed, flight: InFlight | undefined, now: EpochMs) => Move | string;

const effects: Readonly<Record<Action['action'], Effect>> = {
  abort: () => 'there is nothing to abort',
  'abort-force': () => 'there is nothing to abort',
  approve: (seen, flight) => {
    const asks =
      flight && (flight.steps[flight.step]?.approve !== undefined || seen.status.phase === 'AwaitingApproval');
    return asks ? go('Approved', { ...flight, approvedStep: flight.step }) : 'nothing waits for approval';
  },
  promote: (_seen, flight) => {
    if (!flight) return 'nothing is in flight';
    const gate = flight.steps.findIndex((step, index) => index > flight.step && step.approve !== undefined);
    return go('Promoting', {
      ...flight,
      approvedStep: flight.step,
      skipTo: gate === -1 ? Math.max(flight.steps.length - 1, flight.step) : gate,
    });
  },
  'promote-full': (_seen, flight) => (flight ? go('Promoting', { ...flight, full: true }) : 'nothing is in flight'),
  pause: (_seen, flight) =>
    flight ? { ...wait('Paused', 'pause was asked'), set: { pausedByAction: true } } : 'nothing is in flight',
  resume: ({ spec }) =>
    spec?.paused
      ? 'spec.paused is true; change that'
      : { ...wait('Resumed', 'resume was asked'), set: { pausedByAction: false } },
  retry: ({ status, longestWindowMs }, flight, now) =>
    flight || !status.rolledBack
      ? 'nothing was rolled back'
      : {
          ...wait('Retrying', 'retry was asked'),
          phase: 'Healthy',
          set: { rolledBack: undefined, notBefore: after(now, longestWindowMs) },
        },
  release: (seen, flight, now) => {
    if (flight) return beginRetreat(seen, flight, 'Released', 'release was asked', now);
    if (!seen.workload?.marked) return 'the Deployment is not held';
    return {
      ...wait('Released', 'release was asked'),
      phase: 'Initializing',
      writes: [{ kind: 'LetGo', template: 'Keep', paused: false }],
      set: { stable: undefined, rolledBack: undefined },
    };
  },
};

function effect(seen: Observed, action: Action, now: EpochMs): Move | string {
  const { inFlight } = seen.status;
  const busy = inFlight && (inFlight.retreat || isFinishing(inFlight));
  if (busy && action.action !== 'pause' && action.action !== 'resume')
    return inFlight.retreat ? 'the rollout is going back already' : 'the rollout is finishing already';
  const done = effects[action.action](seen, inFlight, now);
  return typeof done === 'string' || action.reason === undefined ? done : { ...done, message: action.reason };
}

const go = (reason: string, flight: InFlight): Move => ({
  ...wait(reason, reason === 'Approved' ? 'approved by a person' : 'promote was asked'),
  flight,
});

function refuse(seen: Observed, action: Action, why: string): Move {
  const message = `${action.action} was refused: ${why}`;
  return {
    ...wait(seen.status.reason ?? 'ActionRefused', message),
    by: action.by ?? 'unknown',
    tell: [{ type: 'Warning', reason: 'ActionRefused', message }],
  };
}
