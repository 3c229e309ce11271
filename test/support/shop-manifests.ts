import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { RolloutSpecInput } from '../../src/api/rollout.ts';
import type { Manifest } from './manifests.ts';

const FOLDER = 'examples/shop/manifests';

/** Environment of the shop's container (examples/shop/README.md). */
export type ShopEnv = Readonly<Record<string, string>>;

export interface ShopOptions {
  /** Default: 25, 50, 100 with a hold of 1 s each. */
  readonly steps?: RolloutSpecInput['steps'];
  /** Whether the example's guardrails (errors, latency; window 10 s, every 2 s) watch. Default false. */
  readonly guarded?: boolean;
  /** Default 3. */
  readonly replicas?: number;
  readonly env?: ShopEnv;
  /** Of each pod; default 10m. Pods that need more than they request starve first on a busy machine. */
  readonly cpuRequest?: string;
  readonly revisionHistoryLimit?: number;
  /** Other fields of the Rollout. */
  readonly rollout?: Partial<RolloutSpecInput>;
}

export const weightSteps: RolloutSpecInput['steps'] = [25, 50, 100].map((weight) => ({ weight, hold: '1s' }));

/** Times as short as the order of writes allows; what a scenario is about, it sets itself. */
const shortTimes: Partial<RolloutSpecInput> = {
  warmUp: '1s',
  bake: '0s',
  scaleDownDelay: '3s',
  progressDeadline: '2m',
};

/** What the shop's team keeps in Git for one namespace, and the Rollout apart. */
export function shopManifests(namespace: string, image: string, options: ShopOptions) {
  const [deployment] = example('deployment');
  const [service] = example('service');
  const [route] = example('httproute');
  const [rollout] = example('rollout');
  const [container] = deployment.spec.template.spec.containers;
  container.image = image;
  container.resources.requests.cpu = options.cpuRequest ?? '10m';
  // A machine that is busy with everything at once answers late: only what is really down must fail here.
  Object.assign(container.readinessProbe, { timeoutSeconds: 10 });
  Object.assign(container.livenessProbe, { timeoutSeconds: 20 });
  setEnv(container, options.env ?? {});
  deployment.spec.replicas = options.replicas ?? 3;
  if (options.revisionHistoryLimit !== undefined) deployment.spec.revisionHistoryLimit = options.revisionHistoryLimit;
  route.spec.hostnames = [hostOf(namespace)];
  const { traffic, workload, guardrails } = rollout.spec;
  rollout.spec = {
    workload,
    traffic: { ...traffic, drain: '3s' },
    steps: options.steps ?? weightSteps,
    guardrails: options.guarded ? guardrails.map(patient) : [],
    ...shortTimes,
    ...options.rollout,
  };
  const inNamespace = (object: Manifest) => ({ ...object, metadata: { ...object.metadata, namespace } });
  return {
    user: [deployment, service, route, ...example('metrics')].map(inNamespace),
    rollout: inNamespace(rollout),
  };
}

/** How long the shop takes says more about the machine of the tests than about the shop: only one that hangs is too slow. */
function patient(guardrail: Manifest): Manifest {
  return guardrail.name === 'latency' ? { ...guardrail, max: 5 } : guardrail;
}

/** Name under which the gateway serves the shop of a namespace. */
export const hostOf = (namespace: string): string => `${namespace}.example`;

function example(name: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8')).map((document) => document.toJS());
}

function setEnv(container: Manifest, env: ShopEnv): void {
  for (const [name, value] of Object.entries(env)) {
    container.env = container.env.filter((one: Manifest) => one.name !== name);
    container.env.push({ name, value });
  }
}
