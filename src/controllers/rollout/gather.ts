import { ACTION_ANNOTATION, type Action, actionSchema } from '../../api/action.ts';
import { FINALIZER, HASH_LABEL } from '../../api/names.ts';
import type { RolloutSpec } from '../../api/rollout.ts';
import { type RolloutStatus, rolloutStatusSchema } from '../../api/rollout-status.ts';
import type { DurationMs, EpochMs } from '../../base/units.ts';
import type { JudgedGuardrail } from '../../core/guardrails/judge.ts';
import type { Observed, Problem, ServicesSeen } from '../../core/rollout/observed.ts';
import { withRouter } from '../../core/rollout/router.ts';
import type { ControllerRevision, Deployment, ReplicaSet } from '../../kube/builtins.ts';
import { keyOf } from '../../kube/resource.ts';
import { matches, serviceSeen } from './endpoints.ts';
import { gatherRoutes } from './gather-routes.ts';
import { gatherSticky } from './gather-sticky.ts';
import { podSetSeen, recordHash, setsOf, workloadSeen } from './gather-workload.ts';
import { type Question, questionsOf } from './guardrail-rules.ts';
import { isHelperOf, servicesOf } from './manifests.ts';
import { freshest, type RolloutMemory, withProgress } from './memory.ts';
import { parsedRollout, parsedStatus } from './parsed.ts';
import { contestOf } from './pin-watch.ts';
import { findProblems } from './problems.ts';
import type { CustomObject, Sources } from './sources.ts';
import { watchOf } from './watching.ts';

/** What a decision looks at, and the objects behind it for whoever carries the decision out. */
export interface Gathered {
  readonly observed: Observed;
  readonly rollout: CustomObject;
  readonly deployment?: Deployment;
  readonly sets: readonly ReplicaSet[];
  readonly records: readonly ControllerRevision[];
}

/** Reads caches only; decides nothing. Undefined where the Rollout is gone. */
export function gather(sources: Sources, memory: RolloutMemory, key: string, now: EpochMs): Gathered | undefined {
  const cached = sources.rollouts.getByKey(key);
  if (!cached) return undefined;
  const rollout = freshest(memory, cached);
  const status = withProgress(memory, rollout, readStatus(rollout));
  const { spec: asked, problems } = readSpec(rollout, memory);
  const spec = asked && withRouter(asked, status.inFlight?.router);
  const name = spec?.workload.name ?? '';
  const { namespace } = rollout.metadata;
  const deployment = sources.deployments.get({ namespace, name });
  const records = sources.controllerRevisions.byIndex('rollout', keyOf(rollout.metadata));
  const sets = deployment ? setsOf(sources, deployment, records) : [];
  const stableHash = status.inFlight?.stableHash ?? status.stable?.hash;
  const stableSet = deployment && podSetSeen(sources, deployment, records, sets, stableHash);
  const canarySet = deployment && podSetSeen(sources, deployment, records, sets, status.inFlight?.hash);
  const record = recordHash(records, status.inFlight?.hash ?? status.rolledBack?.hash);
  const action = readAction(rollout, status);
  const guardrails = memory.guardrails ?? (spec ? remembered(sources, memory, rollout, spec, status, now) : []);
  const observed: Observed = {
    generation: rollout.metadata.generation ?? 0,
    deleting: rollout.metadata.deletionTimestamp !== undefined,
    finalizer: rollout.metadata.finalizers?.includes(FINALIZER) === true,
    spec,
    problems: [...problems, ...(spec ? findProblems(sources, rollout, spec) : []), ...badQueries(guardrails)],
    status,
    ...(action ? { action } : {}),
    ...(deployment ? { workload: workloadSeen(sources, rollout, deployment, sets, stableHash) } : {}),
    ...(stableSet ? { stableSet } : {}),
    ...(canarySet ? { canarySet } : {}),
    ...(record === undefined ? {} : { recordHash: record }),
    services: gatherServices(sources, rollout, spec, memory, status, now),
    routes: spec ? gatherRoutes(sources, rollout, spec, memory, status, now) : [],
    ...gatherSticky(sources, rollout, spec, memory, now, status),
    guardrails,
    longestWindowMs: spec ? longestWindow(questionsOf(sources, rollout, spec, memory.lastUsable)) : (0 as DurationMs),
    autoscalerMultiplies: sources.autoscalers
      .byIndex('target', `${namespace ?? ''}/${name}`)
      .some((hpa) => hpa.spec?.metrics?.some(({ external }) => external?.target.type === 'Value')),
  };
  return { observed, rollout, ...(deployment ? { deployment } : {}), sets, records };
}

const longestWindow = (questions: readonly Question[]): DurationMs =>
  Math.max(0, ...questions.map(({ rule }) => rule.windowMs)) as DurationMs;

/** The spec; where it is invalid, the last one that was not, with the reasons. */
function readSpec(
  rollout: CustomObject,
  memory: RolloutMemory,
): { spec: RolloutSpec | undefined; problems: readonly Problem[] } {
  const parsed = parsedRollout(rollout);
  if (parsed.ok) {
    memory.accepted = parsed.rollout.spec;
    return { spec: parsed.rollout.spec, problems: [] };
  }
  return {
    spec: memory.accepted,
    problems: parsed.problems.map(({ code, path, message }) => ({ code, message: `${path} ${message}` })),
  };
}

/** A status that does not parse is one that we did not write: begin anew rather than stop. */
function readStatus(rollout: CustomObject): RolloutStatus {
  const parsed = parsedStatus(rollout);
  return parsed.ok ? parsed.status : rolloutStatusSchema.parse({});
}

function readAction(rollout: CustomObject, status: RolloutStatus): Action | undefined {
  const text = rollout.metadata.annotations?.[ACTION_ANNOTATION];
  if (text === undefined || text.length > 4096) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // nobody but a person at an editor writes this; the CLI checks before it sends
  }
  const parsed = actionSchema.safeParse(value);
  return parsed.success && !status.actionIds.includes(parsed.data.id) ? parsed.data : undefined;
}

/**
 * The guardrails as a leader before us left them in status. Without them the first pass of a new leader would see a
 * Rollout without guardrails: time would count by itself, and budgets would start anew.
 */
function remembered(
  sources: Sources,
  memory: RolloutMemory,
  rollout: CustomObject,
  spec: RolloutSpec,
  status: RolloutStatus,
  now: EpochMs,
): JudgedGuardrail[] {
  const { questions = [] } = watchOf(sources, memory, rollout, spec, status, now) ?? {};
  return questions.map(({ rule }) => {
    const state = status.guardrails.find(({ name }) => name === rule.guardrail.name);
    return { rule, ...(state ? { status: state } : {}) };
  });
}

/** A query that the provider cannot parse is a mistake in the spec, found only by asking. */
function badQueries(guardrails: readonly JudgedGuardrail[]): Problem[] {
  return guardrails.flatMap(({ status }) =>
    status?.reason === 'BadQuery'
      ? [{ code: 'SLUICE_QUERY_REFUSED', message: `guardrail ${status.name}: ${status.message ?? ''}` }]
      : [],
  );
}

function gatherServices(
  sources: Sources,
  rollout: CustomObject,
  spec: RolloutSpec | undefined,
  memory: RolloutMemory,
  status: RolloutStatus,
  now: EpochMs,
): ServicesSeen {
  const { namespace = '' } = rollout.metadata;
  const names = servicesOf(spec ?? { traffic: { service: '' } as RolloutSpec['traffic'] });
  const hashes = [status.inFlight?.hash, status.inFlight?.stableHash ?? status.stable?.hash].filter(
    (hash) => hash !== undefined,
  );
  const pods = hashes.flatMap((hash) => sources.pods.byIndex('hash', `${namespace}/${hash}`));
  const seen = (name: string) => {
    const service = sources.services.get({ namespace, name });
    const aimedAt = service?.spec?.selector?.[HASH_LABEL];
    const known =
      aimedAt === undefined || hashes.includes(aimedAt)
        ? pods
        : sources.pods.byIndex('hash', `${namespace}/${aimedAt}`);
    const picked = known.filter((pod) => matches(service?.spec?.selector, pod.metadata.labels));
    return serviceSeen(service, sources.endpointSlices.byIndex('service', `${namespace}/${name}`), picked);
  };
  const helper = (name: string) => {
    const service = sources.services.get({ namespace, name });
    return { ...seen(name), ours: service !== undefined && isHelperOf(service, rollout) };
  };
  const user = seen(names.user);
  const contested = contestOf(memory.pin, user.aimedAt, now);
  return {
    user: { ...user, ...(contested ? { contested } : {}) },
    stable: helper(names.stable),
    canary: helper(names.canary),
  };
}
