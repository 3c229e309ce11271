import type { RolloutSpec } from '../../api/rollout.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import { after, type EpochMs, FULL_WEIGHT_BP } from '../../base/units.ts';
import type { JudgedGuardrail } from '../../core/guardrails/judge.ts';
import { isReady } from './endpoints.ts';
import type { Watch } from './guardrail-poller.ts';
import { questionsOf } from './guardrail-rules.ts';
import type { RolloutMemory } from './memory.ts';
import type { CustomObject, Sources } from './sources.ts';

/**
 * What to watch for a Rollout now: its guardrails while requests reach the canary, on the way to the hand-over, and for the
 * bake after it. Before the canary serves there is nothing to see, and an empty answer would only look like silence; as little
 * is there to see of stable where nobody is sent there, and its own guardrails rest.
 */
export function watchOf(
  sources: Sources,
  { lastUsable }: Pick<RolloutMemory, 'lastUsable'>,
  rollout: CustomObject,
  spec: RolloutSpec,
  status: RolloutStatus,
  now: EpochMs,
): Watch | undefined {
  const { namespace = '', name } = rollout.metadata;
  const subject = subjectOf(status, now, spec);
  if (!subject || rollout.metadata.deletionTimestamp !== undefined) return undefined;
  const comparable = stableServes(status, (hash) => hasReadyPod(sources, namespace, hash));
  const questions = questionsOf(sources, rollout, spec, lastUsable).filter(
    ({ rule }) => comparable || rule.guardrail.scope !== 'Stable',
  );
  const states: JudgedGuardrail[] = questions.flatMap(({ rule }) => {
    const state = status.guardrails.find(({ name }) => name === rule.guardrail.name);
    return state ? [{ rule, status: state }] : [];
  });
  return {
    subject: { namespace, rollout: name, service: spec.traffic.service, comparable, ...subject },
    questions,
    states,
  };
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

/** Whether the plan leaves stable traffic. A match rule may take everybody who comes, but nothing says so. */
function stableServes({ inFlight: flight }: RolloutStatus, runs: (hash: string) => boolean): boolean {
  if (!flight) return false;
  return flight.stage === 'Observing' ? runs(flight.stableHash) : flight.weightBp < FULL_WEIGHT_BP;
}

const hasReadyPod = (sources: Sources, namespace: string, hash: string): boolean =>
  sources.pods.byIndex('hash', `${namespace}/${hash}`).some(isReady);
