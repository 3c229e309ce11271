import type { ConditionClaim } from '../../api/condition.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import { worstVerdict } from '../guardrails/judge.ts';
import type { Observed } from './observed.ts';
import { whyNotPerUser } from './sticky-ready.ts';

const claim = (type: string, status: ConditionClaim['status'], reason: string, message = ''): ConditionClaim => ({
  type,
  status,
  reason,
  message,
});

/** The standing conditions, from what was observed and what status will say. A move's own claims come after and win. */
export function claimsOf(seen: Observed, next: RolloutStatus): ConditionClaim[] {
  return [
    accepted(seen),
    gated(seen),
    pinned(seen, next),
    progressing(next),
    guardrailsHealthy(seen),
    programmed(seen, next),
    ready(next),
  ];
}

function accepted({ problems }: Observed): ConditionClaim {
  const problem = problems.find(({ passing }) => !passing);
  return problem ? claim('Accepted', 'False', problem.code, problem.message) : claim('Accepted', 'True', 'Accepted');
}

function gated({ workload, spec }: Observed): ConditionClaim {
  if (spec?.mode === 'Observe') return claim('Gated', 'False', 'ObserveMode', 'mode Observe holds nothing');
  if (!workload) return claim('Gated', 'Unknown', 'WorkloadNotFound');
  return workload.gateLabel
    ? claim('Gated', 'True', 'GateLabelSeen')
    : claim('Gated', 'False', 'GateLabelMissing', 'the Deployment lacks the label sluice.dev/gate: enabled');
}

function pinned({ services, spec }: Observed, { inFlight }: RolloutStatus): ConditionClaim {
  if (!inFlight || inFlight.stage === 'Observing') return claim('ServicePinned', 'False', 'NothingInFlight');
  if (spec?.traffic.pinService === false) return claim('ServicePinned', 'False', 'PinServiceOff');
  if (services.user.contested)
    return claim('ServicePinned', 'False', services.user.contested.reason, services.user.contested.message);
  return services.user.aimedAt
    ? claim('ServicePinned', 'True', 'Pinned', services.user.aimedAt)
    : claim('ServicePinned', 'False', 'NotPinned');
}

function progressing({ inFlight, phase, reason, message }: RolloutStatus): ConditionClaim {
  return inFlight
    ? claim('Progressing', 'True', reason ?? phase, message)
    : claim('Progressing', 'False', phase, message);
}

function guardrailsHealthy({ guardrails }: Observed): ConditionClaim {
  const worst = worstVerdict(guardrails);
  if (worst === undefined)
    return claim('GuardrailsHealthy', 'Unknown', guardrails.length === 0 ? 'NoGuardrails' : 'NoSamples');
  const named = guardrails.find(({ status }) => status?.verdict === worst)?.status;
  const message = worst === 'Safe' ? '' : `${named?.name}: ${named?.message ?? named?.reason ?? ''}`;
  return claim('GuardrailsHealthy', worst === 'Safe' ? 'True' : worst === 'Harm' ? 'False' : 'Unknown', worst, message);
}

function programmed(seen: Observed, { inFlight }: RolloutStatus): ConditionClaim {
  if (!inFlight || inFlight.stage === 'Observing') return claim('TrafficProgrammed', 'Unknown', 'NothingInFlight');
  const behind = seen.routes.find((route) => !route.programmed || route.progress.kind !== 'AtPlan');
  const notPerUser = whyNotPerUser(seen, inFlight);
  if (!behind && notPerUser) return claim('TrafficProgrammed', 'False', notPerUser.reason, notPerUser.message);
  if (!behind) return claim('TrafficProgrammed', 'True', 'Programmed');
  const { progress } = behind;
  const lag = progress.kind === 'Waiting' ? progress : { reason: 'Changing', message: 'is being changed' };
  const why = behind.notProgrammed ?? lag;
  return claim('TrafficProgrammed', 'False', why.reason, `HTTPRoute ${behind.name}: ${why.message}`);
}

function ready({ phase, reason, message }: RolloutStatus): ConditionClaim {
  return phase === 'Healthy' ? claim('Ready', 'True', 'Healthy') : claim('Ready', 'False', reason ?? phase, message);
}
