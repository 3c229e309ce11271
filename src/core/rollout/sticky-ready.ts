import type { InFlight } from '../../api/rollout-status.ts';
import type { Observed } from './observed.ts';
import { isPartial } from './sticky.ts';

/** Why units are not where status says. */
export interface NotReady {
  readonly reason: string;
  readonly message: string;
  /** Writing the policies is the next thing to do. */
  readonly isDue: boolean;
}

const notReady = (reason: string, message: string, isDue = false): NotReady => ({ reason, message, isDue });

/** Whether the gateway asks evaluators, and some listen: without that nobody would ever be called canary. */
export function whyNobodyAsks({ sticky }: Observed): NotReady | undefined {
  if (!sticky) return notReady('PoliciesPending', 'the policies of the gateway are not known yet');
  const { attachment, evaluators } = sticky;
  if (attachment.kind === 'Due') return notReady('AttachingPolicies', attachment.message, true);
  if (attachment.kind === 'Waiting') return notReady('PoliciesPending', attachment.message);
  // Written anew all the same: the grant that it needs may be gone.
  if (attachment.kind === 'Refused')
    return notReady(attachment.code, attachment.message, attachment.code === 'SLUICE_STICKINESS_NOT_ATTACHED');
  if (evaluators.listening > 0) return undefined;
  const cure = 'set `evaluator.enabled` in the values of the chart, or see why its pods do not run';
  return notReady('NoEvaluator', `no evaluator of the gateway is connected, so everybody is on stable: ${cure}`);
}

/** The same, and all of them run what status says. */
export function whyNotPerUser(seen: Observed, flight: InFlight): NotReady | undefined {
  if (!isPartial(flight)) return undefined;
  const why = whyNobodyAsks(seen);
  if (why || !seen.sticky) return why;
  const { listening, running } = seen.sticky.evaluators;
  if (running === listening) return undefined;
  return notReady('EvaluatorsBehind', `${running} of ${listening} evaluators of the gateway know the present weight`);
}
