import { GATE_ENABLED, GATE_LABEL, HELD_BY_ANNOTATION } from '../../api/names.ts';
import type { Deployment } from '../../kube/builtins.ts';
import { type JsonPatch, pointer } from '../../kube/json-patch.ts';
import { keyOf } from '../../kube/resource.ts';
import type { AdmissionAnswer, AdmissionRequest } from '../../kube/webhook-server.ts';
import { setsOf, templateOf } from './gather-workload.ts';
import { parsedRollout, parsedStatus } from './parsed.ts';
import { isOlder } from './rivals.ts';
import type { Sources } from './sources.ts';
import { type PodTemplate, sameTemplate } from './template.ts';

/** What one write to a gated Deployment means. */
export interface GateQuestion {
  readonly before: Deployment;
  readonly after: Deployment;
  /** The Rollout of the Deployment. */
  readonly rollout: {
    readonly name: string;
    readonly holds: boolean;
    readonly stableTemplate: PodTemplate | undefined;
  };
  /** The write is the operator's own. */
  readonly own: boolean;
}

export type GateVerdict = { readonly kind: 'Pass' } | { readonly kind: 'Hold'; readonly warning?: string };

const pass: GateVerdict = { kind: 'Pass' };

/**
 * Whether a write to a gated Deployment would start an update by itself. The gate never refuses: what it holds is stored
 * with `paused: true`, and the operator takes it from there. docs/rollouts.md, gate.
 */
export function judgeGate({ before, after, rollout, own }: GateQuestion): GateVerdict {
  const changed = !sameTemplate(templateIn(before), templateIn(after));
  const resumed = before.spec?.paused === true && after.spec?.paused !== true;
  if ((!changed && !resumed) || !rollout.holds) return pass;
  const toStable = rollout.stableTemplate !== undefined && sameTemplate(templateIn(after), rollout.stableTemplate);
  // Our own writes name the version that they were judged by, so the template is the one that we know.
  if (own && (!changed || toStable)) return pass;
  const marked = before.metadata.annotations?.[HELD_BY_ANNOTATION] !== undefined;
  if (!marked) {
    if (toStable) return pass;
    if (changed && after.spec?.replicas === 0) return pass; // nothing runs that could be protected
    if (changed && before.spec?.paused && after.spec?.paused) return pass; // its user paused it: his business until he resumes
    return { kind: 'Hold' };
  }
  const warning = `Rollout ${rollout.name} holds this Deployment and stays in charge of it: \`kubectl sluice status ${rollout.name}\` says why, \`kubectl sluice promote\`, \`abort\` or \`release\` change that`;
  return resumed ? { kind: 'Hold', warning } : { kind: 'Hold' };
}

const templateIn = (deployment: Deployment): PodTemplate => (deployment.spec?.template ?? {}) as PodTemplate;

/** The patch that makes a write held. */
export function holdPatch(after: Deployment, rollout: string): JsonPatch {
  const annotated = after.metadata.annotations !== undefined;
  return [
    { op: 'add', path: '/spec/paused', value: true },
    annotated
      ? { op: 'add', path: pointer('metadata', 'annotations', HELD_BY_ANNOTATION), value: rollout }
      : { op: 'add', path: '/metadata/annotations', value: { [HELD_BY_ANNOTATION]: rollout } },
  ];
}

/** Answers the API server. Reads caches only, so it takes no longer than the comparison of three templates. */
export function admitDeployment(
  sources: Sources,
  operatorUser: string,
): (request: AdmissionRequest) => Promise<AdmissionAnswer> {
  return async ({ object, oldObject, userInfo }) => {
    const [before, after] = [oldObject as Deployment | undefined, object as Deployment | undefined];
    if (!before || !after || before.metadata.labels?.[GATE_LABEL] !== GATE_ENABLED) return { allowed: true };
    const rollout = rolloutOf(sources, before);
    if (!rollout) return { allowed: true };
    const verdict = judgeGate({ before, after, rollout, own: userInfo.username === operatorUser });
    if (verdict.kind === 'Pass') return { allowed: true };
    return {
      allowed: true,
      patch: holdPatch(after, rollout.name),
      ...(verdict.warning === undefined ? {} : { warnings: [verdict.warning] }),
    };
  };
}

/** The oldest Rollout of a Deployment; a Deployment without one is never held, and neither is one that is only observed. */
function rolloutOf(sources: Sources, deployment: Deployment): GateQuestion['rollout'] | undefined {
  const candidates = [...sources.rollouts.byIndex('deployment', keyOf(deployment.metadata))];
  const [oldest] = candidates.sort((a, b) => (isOlder(a, b) ? -1 : 1));
  if (!oldest) return undefined;
  const parsed = parsedRollout(oldest);
  const status = parsedStatus(oldest);
  const stable = status.ok ? status.status.stable : undefined;
  const records = sources.controllerRevisions.byIndex('rollout', keyOf(oldest.metadata));
  const stableTemplate = stable && templateOf(setsOf(sources, deployment, records), records, stable.hash);
  const acts = parsed.ok ? parsed.rollout.spec.mode === 'Act' : true;
  return { name: oldest.metadata.name, holds: acts && stable !== undefined, stableTemplate };
}
