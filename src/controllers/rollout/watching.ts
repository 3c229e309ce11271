import type { RolloutSpec } from '../../api/rollout.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import { after, type EpochMs } from '../../base/units.ts';
import type { JudgedGuardrail } from '../../core/guardrails/judge.ts';
import type { Watch } from './guardrail-poller.ts';
import { questionsOf } from './guardrail-rules.ts';
import type { CustomObject, Sources } from './sources.ts';

/**
 * What to watch for a Rollout now: its guardrails while requests reach the canary, on the way to the hand-over, and for the
 * bake after it. Before the canary serves there is nothing to see, and an empty answer would only look like silence.
 */
export function watchOf(
  sources: Sources,
  rollout: CustomObject,
  spec: RolloutSpec,
  status: RolloutStatus,
  now: EpochMs,
): Watch | undefined {
  const subject = subjectOf(status, now, spec);
  if (!subject || rollout.metadata.deletionTimestamp !== undefined) return undefined;
  const questions = questionsOf(sources, rollout, spec);
  const states: JudgedGuardrail[] = questions.flatMap(({ rule }) => {
    const state = status.guardrails.find(({ name }) => name === rule.guardrail.name);
    return state ? [{ rule, status: state }] : [];
  });
  const { namespace = '', name } = rollout.metadata;
  return { subject: { namespace, rollout: name, service: spec.traffic.service, ...subject }, questions, states };
}

/** The two revisions whose requests tell something now; undefined where none reaches the newer one. */
export function subjectOf(
  { inFlight: flight, stable, promoted }: RolloutStatus,
  now: EpochMs,
  spec: RolloutSpec,
): { canaryHash: string; stableHash: string } | undefined {
  if (flight) {
    const reached =
      flight.weightBp > 0 ||
      flight.matchStep !== undefined ||
      flight.shadowStep !== undefined ||
      flight.stage === 'Observing';
    return reached && !flight.retreat ? { canaryHash: flight.hash, stableHash: flight.stableHash } : undefined;
  }
  const [former] = promoted;
  const baking = stable && former?.until !== undefined && now < after(stable.since, spec.bake);
  return baking ? { canaryHash: stable.hash, stableHash: former.hash } : undefined;
}
