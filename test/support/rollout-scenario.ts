import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inject, type TestContext } from 'vitest';
import { binaryDir } from '../../hack/cluster/binaries.ts';
import { output } from '../../hack/cluster/command.ts';
import { waitFor } from '../../hack/cluster/wait.ts';
import { askAs } from '../../hack/load/ask-as.ts';
import { type LoadHandle, type LoadOptions, startLoad } from '../../hack/load/load.ts';
import { ACTION_ANNOTATION, type Action } from '../../src/api/action.ts';
import { parseRolloutStatus } from '../../src/api/parse.ts';
import type { RolloutStatus } from '../../src/api/rollout-status.ts';
import { rolloutsResource } from '../../src/controllers/rollout/sources.ts';
import { type Deployment, deployments, httpRoutes, namespaces } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { clusterConfig, gatewayUrl, kubectl } from './cluster.ts';
import { makeClient } from './kube-client.ts';
import { recordWeights, type WeightRecord } from './route-weights.ts';
import { hostOf, type ShopEnv, type ShopOptions, shopManifests } from './shop-manifests.ts';
import { type PodIdentity, podsOf, tracesOfSluice, userObjects } from './shop-snapshot.ts';
import { ensureSluice } from './sluice-install.ts';

/** Generous: two cores carry a cluster, its load and its tests. */
const PATIENCE_MS = 240_000;

export type Seen = { readonly status: RolloutStatus; readonly deployment: Deployment };
type Wanted = (seen: Seen) => boolean;

/** Sluice, and a shop of its own in a namespace of its own, served by the gateway, with a stable revision. */
export async function givenShop(context: TestContext, options: ShopOptions = {}): Promise<Shop> {
  const { signal } = context;
  const client = makeClient(clusterConfig(), context);
  const images = await ensureSluice(client);
  const namespace = `shop-${randomBytes(3).toString('hex')}`;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { signal });
  const shop = new Shop(context, client, namespace, shopManifests(namespace, images.shop, options));
  context.onTestFinished(() => shop.end());
  await shop.begin();
  return shop;
}

/** One scenario's shop: what a user does to it, and what can be seen of it. Lives as long as its test. */
export class Shop {
  readonly namespace: string;
  readonly manifests: ReturnType<typeof shopManifests>;
  readonly client: KubeClient;
  readonly #context: TestContext;
  readonly #end = new AbortController();
  #weights: WeightRecord | undefined;

  constructor(
    context: TestContext,
    client: KubeClient,
    namespace: string,
    manifests: ReturnType<typeof shopManifests>,
  ) {
    this.#context = context;
    this.client = client;
    this.namespace = namespace;
    this.manifests = manifests;
  }

  /** Ends with the test. */
  get signal(): AbortSignal {
    return this.#context.signal;
  }

  /** Ends what was started for the test, before its namespace goes. */
  get ending(): AbortSignal {
    return this.#end.signal;
  }

  /** Undoes what a test did outside its namespace. */
  atEnd(undo: () => Promise<void>): void {
    this.#context.onTestFinished(undo);
  }

  get #ref() {
    return { namespace: this.namespace, name: 'shop' };
  }

  async begin(): Promise<void> {
    await this.apply(...this.manifests.user, this.manifests.rollout);
    await this.reaches(isHealthy);
    await this.#isServed();
    this.#weights = await recordWeights(this.client, this.namespace, this.#end.signal);
  }

  /** A gateway takes a new route up at its own pace: a request that comes earlier was not lost by a rollout. */
  async #isServed(): Promise<void> {
    const gateway = await gatewayUrl();
    await this.eventually('the gateway serving the shop', async () => {
      const { status } = await askAs(hostOf(this.namespace), `${gateway}/catalog`, this.signal);
      return status === 200;
    });
  }

  /**
   * Shows where it stood when its test failed, and deletes the namespace; the route first, because Envoy takes no new cluster for 15 s
   * where one vanishes with its endpoints (docs/decisions/0220-a-gateway-that-takes-nothing-new.md).
   */
  async end(): Promise<void> {
    this.#end.abort();
    const { task } = this.#context;
    if (task.result?.state === 'fail') console.error(await this.#describe().catch(String));
    const signal = AbortSignal.timeout(10_000);
    await this.client.delete(httpRoutes, this.#ref, { signal });
    await this.client.delete(namespaces, { name: this.namespace }, { signal });
  }

  // What a user does.

  async apply(...objects: readonly object[]): Promise<void> {
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  }

  /** `kubectl -n NAMESPACE …`; the answer holds warnings too. */
  kubectl(...args: readonly string[]): Promise<string> {
    const both = ['-c', '"$0" "$@" 2>&1', join(binaryDir('k1s'), 'kubectl'), '-n', this.namespace, ...args];
    return output('sh', both, { env: { KUBECONFIG: inject('clusterKubeconfig') } });
  }

  /** Changes the template: a new release. */
  async push(env: ShopEnv): Promise<void> {
    const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await this.kubectl('set', 'env', 'deployment/shop', ...pairs);
  }

  async act(action: Action['action'], more: Partial<Action> = {}): Promise<void> {
    const value: Action = { id: randomBytes(4).toString('hex'), action, by: 'ann', ...more };
    const annotations = { [ACTION_ANNOTATION]: JSON.stringify(value) };
    await this.client.patch(rolloutsResource, this.#ref, { merge: { metadata: { annotations } } }, this.#call());
  }

  async change(spec: object): Promise<void> {
    await this.client.patch(rolloutsResource, this.#ref, { merge: { spec } }, this.#call());
  }

  /** Asks what no answer can give: a breach as soon as there are samples. */
  async demandTooMuch(): Promise<void> {
    const latency = { name: 'latency', metric: 'http-p99-seconds', max: 0.001 };
    await this.change({ guardrails: [{ ...latency, interval: '2s', window: '10s', severity: 'Critical' }] });
  }

  async changeDeployment(spec: object): Promise<void> {
    await this.client.patch(deployments, this.#ref, { merge: { spec } }, this.#call());
  }

  /** Where its users knock. */
  async gateway(): Promise<Pick<LoadOptions, 'target' | 'hostHeader'>> {
    const { hostname: host } = new URL(await gatewayUrl());
    return { target: { host, port: 80 }, hostHeader: hostOf(this.namespace) };
  }

  /** Users at the gateway: 40 requests a second, by keep-alive, POST, HTTP/2 and short-lived clients. */
  async underLoad(): Promise<LoadHandle> {
    return startLoad({
      ...(await this.gateway()),
      clients: [
        { kind: 'keep-alive', count: 10, ratePerSecond: 20 },
        { kind: 'post', count: 4, ratePerSecond: 8 },
        { kind: 'http2', count: 4, ratePerSecond: 8 },
        { kind: 'short', count: 4, ratePerSecond: 4 },
      ],
      signal: this.#end.signal,
    });
  }

  // What can be seen.

  async status(): Promise<RolloutStatus> {
    const rollout = await this.client.get(rolloutsResource, this.#ref, this.#call());
    const parsed = parseRolloutStatus(rollout?.status);
    if (!parsed.ok) throw new Error('the status does not parse');
    return parsed.status;
  }

  async deployment(): Promise<Deployment> {
    const found = await this.client.get(deployments, this.#ref, this.#call());
    if (!found) throw new Error('the Deployment is gone');
    return found;
  }

  /** Waits until status and Deployment are as wanted. */
  reaches(wanted: Wanted, { everyMs = 250 } = {}): Promise<Seen> {
    const probe = async () => {
      const seen = { status: await this.status(), deployment: await this.deployment() };
      return wanted(seen) && seen;
    };
    const what = `${this.namespace}: ${wanted.name || String(wanted)}`;
    return waitFor(probe, { what, timeoutMs: PATIENCE_MS, everyMs, signal: this.signal });
  }

  /** Waits for anything else. */
  eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
    return waitFor(probe, { what, timeoutMs: PATIENCE_MS, everyMs: 250, signal: this.signal });
  }

  /** Weights that the route gave the canary so far, in order, repetitions left out. */
  get weights(): WeightRecord {
    if (!this.#weights) throw new Error('the shop has not begun');
    return this.#weights;
  }

  podsOf(hash: string | undefined): Promise<PodIdentity[]> {
    return podsOf(this.client, this.namespace, hash ?? '', this.signal);
  }

  userObjects() {
    return userObjects(this.client, this.namespace, this.signal);
  }

  traces(): Promise<string[]> {
    return tracesOfSluice(this.client, this.namespace, this.signal);
  }

  #call() {
    return { signal: this.signal };
  }

  async #describe(): Promise<string> {
    const { phase, reason, message, stable, inFlight, rolledBack, transitions, guardrails } = await this.status();
    const steps = transitions.map(
      ({ at, to, reason, message }) => `${new Date(at).toISOString()} ${to} ${reason} ${message}`,
    );
    const facts = { phase, reason, message, stable, inFlight, rolledBack, guardrails };
    return [`${this.#context.task.name}: ${JSON.stringify(facts, null, 1)}`, ...steps.reverse()].join('\n');
  }
}

/** Nothing in flight, and the Deployment free. */
export const isHealthy: Wanted = ({ status, deployment }) =>
  status.phase === 'Healthy' && status.reason === 'Healthy' && deployment.spec?.paused !== true;

/** Another revision than `hash` is stable, and all is at rest. */
export const promotedFrom = (hash: string | undefined): Wanted =>
  function promoted(seen) {
    return isHealthy(seen) && seen.status.stable?.hash !== hash;
  };

/** Rolled back, with nothing in flight. */
export const isRolledBack: Wanted = ({ status }) => status.phase === 'RolledBack' && status.inFlight === undefined;

/** Holding at a step with this weight, in percent. */
export const holdsAt = (percent: number): Wanted =>
  function holding({ status: { inFlight } }) {
    return inFlight?.stage === 'Holding' && inFlight.weightBp === percent * 100;
  };

/** In this phase, for this reason where one is named. */
export const inPhase = (phase: RolloutStatus['phase'], reason?: string): Wanted =>
  function phaseReached({ status }) {
    return status.phase === phase && (reason === undefined || status.reason === reason);
  };
