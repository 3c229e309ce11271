import { randomBytes } from 'node:crypto';
import type { TestContext } from 'vitest';
import { waitFor } from '../../hack/cluster/wait.ts';
import { exampleFlags, flagShop } from '../../hack/demo/flag-shop.ts';
import { FlagWatch } from '../../hack/demo/flag-watch.ts';
import { parseFeatureFlagStatus } from '../../src/api/parse.ts';
import { featureFlagsResource } from '../../src/controllers/feature-flag/sources.ts';
import { deployments, namespaces, type Pod, pods } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { clusterConfig, kubectl } from './cluster.ts';
import { makeClient } from './kube-client.ts';
import type { Manifest } from './manifests.ts';
import { killRemains } from './pod-processes.ts';
import { ensureSluice } from './sluice-install.ts';

const OPERATOR = { namespace: 'sluice-system', name: 'sluice-operator' };
const PATIENCE_MS = 180_000;

interface Begin {
  readonly signal: AbortSignal;
  readonly flags: readonly string[];
}

/** Sluice, the example flags and a shop with evaluators in a namespace of its own, all of whose pods are asked all the time. */
export class FlagShop {
  readonly namespace: string;
  readonly client: KubeClient;
  readonly watch: FlagWatch;
  readonly signal: AbortSignal;

  readonly #image: string;

  private constructor(client: KubeClient, namespace: string, image: string, { signal, flags }: Begin) {
    this.#image = image;
    this.client = client;
    this.namespace = namespace;
    this.signal = signal;
    this.watch = new FlagWatch({ client, namespace, flags, user: 'ann' });
  }

  /** Two replicas; `flags` are what is asked for. */
  static async begin({ signal, onTestFinished }: TestContext, flags: readonly string[]): Promise<FlagShop> {
    const client = makeClient(clusterConfig(), { onTestFinished });
    const images = await ensureSluice(client);
    const namespace = `flags-${randomBytes(3).toString('hex')}`;
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { signal });
    const shop = new FlagShop(client, namespace, images.shop, { signal, flags });
    onTestFinished(async () => {
      await shop.watch.stop();
      await client.delete(namespaces, { name: namespace }, { signal: AbortSignal.timeout(10_000) });
    });
    await shop.apply(...exampleFlags(namespace), flagShop(namespace, images.shop, 2));
    await shop.watch.start();
    return shop;
  }

  async apply(...items: readonly object[]): Promise<void> {
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  }

  async change(flag: string, spec: object): Promise<void> {
    const ref = { namespace: this.namespace, name: flag };
    await this.client.patch(featureFlagsResource, ref, { merge: { spec } }, { signal: this.signal });
  }

  async status(flag: string) {
    const ref = { namespace: this.namespace, name: flag };
    const parsed = parseFeatureFlagStatus(
      (await this.client.get(featureFlagsResource, ref, { signal: this.signal }))?.status,
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.status;
  }

  async condition(flag: string, type: string) {
    return (await this.status(flag)).conditions.find((condition) => condition.type === type);
  }

  async scale(replicas: number): Promise<void> {
    const ref = { namespace: this.namespace, name: 'shop' };
    await this.client.patch(deployments, ref, { merge: { spec: { replicas } } }, { signal: this.signal });
  }

  async pods(labelSelector = 'app=shop'): Promise<readonly Pod[]> {
    const selection = { namespace: this.namespace, labelSelector };
    return (await this.client.list(pods, selection, { signal: this.signal })).items;
  }

  /** A flag that no webhook would let through: it can be written while there is none. */
  async applyBroken(name: string): Promise<void> {
    const [flag] = exampleFlags(this.namespace) as [Manifest];
    const spec = { ...flag.spec, offVariant: 'nowhere' };
    await this.apply({ ...flag, metadata: { ...flag.metadata, name }, spec });
  }

  /** Another Deployment of the shop, of one pod that wants an evaluator. */
  async applyOther(name: string): Promise<void> {
    const deployment = flagShop(this.namespace, this.#image, 1) as Manifest;
    deployment.metadata.name = name;
    deployment.spec.selector.matchLabels = { app: name };
    deployment.spec.template.metadata.labels.app = name;
    await this.apply(deployment);
  }

  /** `kubectl -n NAMESPACE …`. */
  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(['-n', this.namespace, ...args]);
  }

  /** What any replica of the operator says. */
  async metric(series: string): Promise<number | undefined> {
    const selection = { namespace: OPERATOR.namespace, labelSelector: 'app.kubernetes.io/component=operator' };
    for (const { status } of (await this.client.list(pods, selection, { signal: this.signal })).items) {
      const text = await (await fetch(`http://${status?.podIP}:8080/metrics`, { signal: this.signal })).text();
      const line = text.split('\n').find((one) => one.startsWith(`${series} `));
      if (line) return Number(line.slice(series.length));
    }
    return undefined;
  }

  /** Neither a webhook nor the API server itself gives pods anything while `work` goes on. */
  async withoutInjection<T>(work: () => Promise<T>): Promise<T> {
    const kind = 'mutatingadmissionpolicybinding.admissionregistration.k8s.io';
    const { metadata, ...binding } = JSON.parse(await kubectl(['get', kind, 'sluice-inject', '-o', 'json']));
    await kubectl(['delete', kind, 'sluice-inject']);
    await this.killOperators();
    try {
      // A process outlives its pod by moments, and the API server goes by what it knew for as long.
      await this.eventually('pods being left as they are', async () => !(await this.#isInjected()));
      return await work();
    } finally {
      const { name, labels, annotations } = metadata;
      await kubectl(['apply', '-f', '-'], JSON.stringify({ ...binding, metadata: { name, labels, annotations } }));
      await this.bringBack();
    }
  }

  /** Whether a pod that wants an evaluator would be given one now. */
  async #isInjected(): Promise<boolean> {
    const { spec } = flagShop(this.namespace, this.#image, 1) as Manifest;
    const pod = { apiVersion: 'v1', kind: 'Pod', ...spec.template };
    const metadata = { ...pod.metadata, name: 'probe', namespace: this.namespace };
    const asked = ['create', '--dry-run=server', '-o', 'json', '-f', '-'];
    const answer = JSON.parse(await kubectl(asked, JSON.stringify({ ...pod, metadata })));
    return answer.spec.initContainers !== undefined;
  }

  /** Ends all replicas of the operator as a crash would, until `bringBack`, which every test that does this calls. */
  async killOperators(): Promise<void> {
    const { namespace } = OPERATOR;
    const labelSelector = 'app.kubernetes.io/component=operator';
    const { items: killed } = await this.client.list(pods, { namespace, labelSelector }, { signal: this.signal });
    await this.client.patch(deployments, OPERATOR, { merge: { spec: { replicas: 0 } } }, { signal: this.signal });
    await kubectl(['-n', namespace, 'delete', 'pods', '-l', labelSelector, '--grace-period=0', '--force']);
    await this.eventually('no operator', async () => {
      const { items } = await this.client.list(pods, { namespace, labelSelector }, { signal: this.signal });
      return items.length === 0;
    });
    for (const uid of killed.flatMap(({ metadata }) => metadata.uid ?? [])) killRemains(uid);
  }

  async bringBack(): Promise<void> {
    await this.client.patch(deployments, OPERATOR, { merge: { spec: { replicas: 2 } } }, { signal: this.signal });
    await this.eventually('both operators', async () => {
      const deployment = await this.client.get(deployments, OPERATOR, { signal: this.signal });
      return deployment?.status?.readyReplicas === 2;
    });
  }

  eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
    return waitFor(probe, { what, timeoutMs: PATIENCE_MS, everyMs: 250, signal: this.signal });
  }
}
