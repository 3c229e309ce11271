import { formatDuration } from '../../../api/duration.ts';
import type { RolloutSpec } from '../../../api/rollout.ts';
import type { DurationMs, EpochMs } from '../../../base/units.ts';
import { after } from '../../../base/units.ts';
import type { Move, Policy } from '../decision.ts';
import { wait } from '../flight.ts';
import { type Evidence, evidence } from '../hold.ts';
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
  const harm = seen.guardrails.find(
    ({ rule, status: state }) => state?.verdict === 'Harm' && rule.guardrail.action === 'RollBack',
  );
  const harmed = status.reason === 'WouldRollBack';
  if (harm && !harmed) {
    const message = `guardrail ${harm.rule.guardrail.name}: ${harm.status?.message ?? ''}`;
    return { ...wait('WouldRollBack', message), tell: [{ type: 'Warning', reason: 'WouldRollBack', message }] };
  }
  const end = after(flight.startedAt, planned(spec));
  const { replicas, updatedReplicas, availableReplicas } = workload;
  if (now < end || updatedReplicas !== replicas || availableReplicas < replicas)
    return harmed
      ? wait('WouldRollBack', status.message ?? '', end)
      : wait('Observing', `observing for ${formatDuration(planned(spec))}`, end);
  const found = evidence(seen.guardrails, flight.startedAt, now);
  if (found.kind === 'Pending' && !harmed) return wait('Observing', found.message);
  const { type, reason, text } = harmed ? alreadyTold : outcomeOf(found, now);
  const message = `${flight.hash} runs; ${text}`;
  return {
    reason,
    message,
    flight: null,
    phase: 'Healthy',
    set: {
      stable: { hash: flight.hash, digest: workload.digest, since: now, leftByFastRevert: false },
      promoted: [{ ...status.stable, until: now }, ...status.promoted].slice(0, 10),
    },
    tell: [{ type, reason, message }],
  };
};

interface Outcome {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly text: string;
}

const alreadyTold: Outcome = {
  type: 'Normal',
  reason: 'ObservationEnded',
  text: 'a guardrail would have rolled it back',
};

/** What mode Act would have done at the end of its steps. Silence is not consent. */
function outcomeOf(found: Evidence, now: EpochMs): Outcome {
  if (found.kind === 'Good') return { type: 'Normal', reason: 'WouldPromote', text: 'no guardrail objected' };
  if (found.kind === 'Silent' && found.action === 'RollBack' && now >= found.until)
    return { type: 'Warning', reason: 'WouldRollBack', text: `silence would have rolled it back: ${found.message}` };
  return { type: 'Warning', reason: 'WouldHold', text: `it would have waited: ${found.message}` };
}

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
