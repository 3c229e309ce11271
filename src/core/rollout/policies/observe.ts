import { formatDuration } from '../../../api/duration.ts';
import type { RolloutSpec } from '../../../api/rollout.ts';
import type { DurationMs, EpochMs } from '../../../base/units.ts';
import { after } from '../../../base/units.ts';
import type { Move, Policy } from '../decision.ts';
import { wait } from '../flight.ts';
import { evidence } from '../hold.ts';
import type { Observed } from '../observed.ts';

/** Mode Observe: the Deployment updates by itself; Sluice says what it would have done and writes to nothing but status. */
export const observing: Policy = (seen, now) => {
  const { status, spec, workload, deleting } = seen;
  if (!spec || !workload || !status.stable || deleting) return undefined;
  const { inFlight: flight } = status;
  if (!flight)
    return spec.mode === 'Observe' && workload.hash !== status.stable.hash && !workload.paused
      ? watch(seen, spec, now)
      : undefined;
  if (flight.stage !== 'Observing') return undefined;
  if (workload.hash === status.stable.hash)
    return { ...wait('ObservationEnded', 'the Deployment went back to stable'), flight: null, phase: 'Healthy' };
  if (workload.hash !== flight.hash) return watch(seen, spec, now);
  const harm = seen.guardrails.find((guardrail) => guardrail.status?.verdict === 'Harm');
  if (harm && status.reason !== 'WouldRollBack') {
    const message = `guardrail ${harm.rule.guardrail.name}: ${harm.status?.message ?? ''}`;
    return { ...wait('WouldRollBack', message), tell: [{ type: 'Warning', reason: 'WouldRollBack', message }] };
  }
  const end = after(flight.startedAt, planned(spec));
  const { replicas, updatedReplicas, availableReplicas } = workload;
  if (now < end || updatedReplicas !== replicas || availableReplicas < replicas)
    return wait(
      status.reason === 'WouldRollBack' ? 'WouldRollBack' : 'Observing',
      status.reason === 'WouldRollBack' ? (status.message ?? '') : `observing for ${formatDuration(planned(spec))}`,
      end,
    );
  const found = evidence(seen.guardrails, flight.startedAt, now);
  if (found.kind === 'Pending' && status.reason !== 'WouldRollBack') return wait('Observing', found.message);
  const reason = status.reason === 'WouldRollBack' ? 'ObservationEnded' : 'WouldPromote';
  const message = `${flight.hash} runs; ${reason === 'WouldPromote' ? 'no guardrail objected' : 'a guardrail would have rolled it back'}`;
  return {
    reason,
    message,
    flight: null,
    phase: 'Healthy',
    set: {
      stable: { hash: flight.hash, digest: workload.digest, since: now, leftByFastRevert: false },
      promoted: [{ ...status.stable, until: now }, ...status.promoted].slice(0, 10),
    },
    tell: [{ type: 'Normal', reason, message }],
  };
};

/** The least time that the steps would have taken. */
const planned = (spec: RolloutSpec): DurationMs =>
  spec.steps.reduce<number>((sum, step) => sum + (step.hold ?? 0), spec.bake) as DurationMs;

function watch({ status, workload, spec }: Observed, rolloutSpec: RolloutSpec, now: EpochMs): Move {
  const message = `${status.stable?.hash} → ${workload?.hash}, observed only`;
  return {
    reason: 'Observing',
    message,
    phase: 'Progressing',
    flight: {
      hash: workload?.hash ?? '',
      stableHash: status.stable?.hash ?? '',
      generation: workload?.generation ?? 0,
      startedAt: now,
      fastRevert: false,
      takenOver: false,
      steps: rolloutSpec.steps,
      step: 0,
      stage: 'Observing',
      stageSince: now,
      weightBp: 0,
      full: false,
      loweredCount: 0,
    },
    set: { guardrails: [] },
    tell: [{ type: 'Normal', reason: 'Observing', message }],
    recheckAt: after(now, planned(spec ?? rolloutSpec)),
  };
}
