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

const NO_EVALUATOR =
  'no evaluator of the gateway is connected, so everybody is on stable: set `evaluator.enabled` in the values of the chart, or see why its pods do not run';

const notReady = (reason: string, message: string, isDue = false): NotReady => ({ reason, message, isDue });

/** Whether the gateway asks evaluators, and some listen: without that nobody would ever be called canary. */
export function whyNobodyAsks({ sticky }: Observed): NotReady | undefined {
  if (!sticky) return notReady('PoliciesPending', 'the policies of the gateway are not known yet');
  const { attachment, evaluators } = sticky;
  if (attachment.kind === 'Due') return notReady('AttachingPolicies', attachment.message, true);
  if (attachment.kind === 'Waiting') return notReady('PoliciesPending', attachment.message);
  const isNone = evaluators.listening === 0;
  if (attachment.kind === 'Refused') {
    // Written anew all the same: the grant that it needs may be gone.
    const isTheirs = attachment.code === 'SLUICE_STICKINESS_NOT_ATTACHED';
    // Without a ready evaluator the gateway does not accept the policy either; that is not the cause.
    if (isTheirs && isNone) return notReady('NoEvaluator', `${NO_EVALUATOR} (${attachment.message})`, true);
    return notReady(attachment.code, attachment.message, isTheirs);
  }
  return isNone ? notReady('NoEvaluator', NO_EVALUATOR) : undefined;
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
