import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployments, httpRoutes } from '../../../src/kube/builtins.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { repositoryDir } from '../../cluster/paths.ts';
import { waitFor } from '../../cluster/wait.ts';
import type { Child } from './child.ts';
import type { Contender } from './contender.ts';
import { inParallel } from './in-parallel.ts';
import { installSluice, OPERATOR_USER, startOperator } from './operator-process.ts';
import type { Manifest, Rig } from './rig.ts';
import { RolloutWatch } from './rollout-watch.ts';
import {
  deploymentOf,
  namespacesOf,
  rolloutOf,
  routeOf,
  type ShopShape,
  serviceOf,
  shopKeys,
  split,
  templateOf,
} from './shop.ts';
import { type ReadWeight, sameKey, WeightWatch } from './weight-watch.ts';

export const version: string = JSON.parse(readFileSync(join(repositoryDir, 'package.json'), 'utf8')).version;

/** Calls to the API server at a time while objects are made. */
const WIDTH = 16;
/** Generous: a thousand start at once. */
const LAUNCH_MS = 1_800_000;

export interface SluiceOptions extends ShopShape {
  readonly rollouts: number;
  readonly profileDir?: string | undefined;
}

/** Sluice with its rollouts, each Healthy with a stable revision. `makeShops` makes what its users have; default: as they would. */
export async function startSluice(
  rig: Rig,
  options: SluiceOptions,
  makeShops: (keys: readonly string[]) => Promise<void> = (keys) => applyShops(rig, keys, options),
): Promise<Sluice> {
  const kubeconfig = await installSluice(rig);
  const keys = shopKeys(options.rollouts);
  await makeShops(keys);
  const weights = await WeightWatch.start<KubeObject>(rig.client, httpRoutes, weightOf);
  const rollouts = await RolloutWatch.start(rig.client);
  const sluice = new Sluice(rig, kubeconfig, keys, weights, rollouts, options);
  await sluice.addOperator();
  await sluice.allHealthy(rig.signal);
  return sluice;
}

async function applyShops(rig: Rig, keys: readonly string[], { replicas, interval }: ShopShape): Promise<void> {
  for (const name of namespacesOf(keys)) await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await inParallel(keys, WIDTH, async (key) => {
    for (const object of [deploymentOf(key, replicas), serviceOf(key), routeOf(key), rolloutOf(key, interval)])
      await rig.apply(object);
  });
}

/** What the canary's helper Service gets among all backends of the rules that name it. */
const weightOf: ReadWeight<KubeObject> = (route) => {
  const canary = `${route.metadata.name}-canary`;
  const shares = ((route as Manifest).spec.rules ?? []).map(({ backendRefs = [] }: Manifest) => {
    const sum = (refs: Manifest[]) => refs.reduce((total, { weight = 1 }) => total + weight, 0);
    const all = sum(backendRefs);
    return all === 0 ? 0 : (100 * sum(backendRefs.filter(({ name }: Manifest) => name === canary))) / all;
  });
  return { key: sameKey(route), percent: Math.max(0, ...shares) };
};

export class Sluice implements Contender {
  readonly name = 'Sluice';
  readonly version = version;
  readonly user = OPERATOR_USER;
  readonly settings: Contender['settings'];
  readonly keys: readonly string[];
  readonly weights: WeightWatch<KubeObject>;
  readonly rollouts: RolloutWatch;
  readonly operators: Child[] = [];
  readonly #rig: Rig;
  readonly #kubeconfig: string;
  readonly #options: SluiceOptions;
  #revision = 0;
  #started = 0;

  constructor(
    rig: Rig,
    kubeconfig: string,
    keys: readonly string[],
    weights: WeightWatch<KubeObject>,
    rollouts: RolloutWatch,
    options: SluiceOptions,
  ) {
    this.#rig = rig;
    this.#kubeconfig = kubeconfig;
    this.#options = options;
    this.keys = keys;
    this.weights = weights;
    this.rollouts = rollouts;
    this.settings = { router: 'HTTPRoute', interval: options.interval, budget: 'one sample' };
  }

  get pids(): number[] {
    return this.operators.map(({ pid }) => pid);
  }

  /** Starts one more replica and answers when it is ready. */
  async addOperator(): Promise<Child> {
    const name = `operator-${this.#started++}`;
    const { profileDir } = this.#options;
    const operator = await startOperator(this.#rig, { kubeconfig: this.#kubeconfig, name, profileDir });
    this.operators.push(operator);
    return operator;
  }

  /** Ends one replica by a signal and answers when it is gone. */
  async end(operator: Child, how: NodeJS.Signals): Promise<void> {
    this.operators.splice(this.operators.indexOf(operator), 1);
    await operator.kill(how);
  }

  async allHealthy(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LAUNCH_MS)]);
    await Promise.all(this.keys.map((key) => this.rollouts.reaches(key, (phase) => phase === 'Healthy', limit)));
  }

  /** Launches those whose canary gets nothing now. */
  async ensureInFlight(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await this.launch(
      keys.filter((key) => this.weights.percentOf(key) === 0),
      signal,
    );
  }

  async launch(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LAUNCH_MS)]);
    const revision = `${++this.#revision}`;
    await inParallel(keys, WIDTH, async (key) => {
      await this.rollouts.reaches(key, (phase) => phase === 'Healthy' || phase === 'RolledBack', limit);
      const { namespace, name } = split(key);
      const merge = { spec: { template: templateOf(name, revision) } };
      // A pipeline repeats it as well: on a machine that is busy with a thousand of these the gate may be late.
      await waitFor(
        async () => this.#rig.client.patch(deployments, { namespace, name }, { merge }, { signal: limit }),
        {
          what: `the new revision of ${key} being taken`,
          timeoutMs: LAUNCH_MS,
          signal: limit,
        },
      );
    });
    await Promise.all(keys.map((key) => this.weights.reaches(key, (percent) => percent > 0, limit)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.operators.map((operator) => operator.kill('SIGTERM')));
    await Promise.all([this.weights.stop(), this.rollouts.stop()]);
  }
}
