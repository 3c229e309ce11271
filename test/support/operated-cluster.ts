import type { KubeConfig } from '@kubernetes/client-node';
import { waitFor } from '../../hack/cluster/wait.ts';
import { HELD_BY_ANNOTATION } from '../../src/api/names.ts';
import { parseRolloutStatus } from '../../src/api/parse.ts';
import type { RolloutStatus } from '../../src/api/rollout-status.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import { seededRandom } from '../../src/base/random.ts';
import { GuardrailPoller } from '../../src/controllers/rollout/guardrail-poller.ts';
import { RolloutInformers } from '../../src/controllers/rollout/informers.ts';
import { ProviderPool } from '../../src/controllers/rollout/provider-pool.ts';
import { RolloutReconciler } from '../../src/controllers/rollout/reconcile.ts';
import { rolloutsResource } from '../../src/controllers/rollout/sources.ts';
import { deployments } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createClient } from '../../src/kube/create-client.ts';
import { keyOf } from '../../src/kube/resource.ts';
import { Worker } from '../../src/kube/worker.ts';
import { kubeConfig } from './api-server.ts';
import { ControlPlane } from './control-plane.ts';
import { installCrds } from './install-crds.ts';
import type { Manifest } from './manifests.ts';
import { playNodeAndGateway } from './play-nodes.ts';
import { apply } from './raw-api.ts';
import { serveGatewayApi } from './serve-gateway-api.ts';

/** A real API server with its real controllers, and the real rollout controller when it is started; nodes and gateway are played. */
export class OperatedCluster {
  readonly config: KubeConfig;
  readonly client: KubeClient;
  readonly kubeconfigPath: string;
  readonly #plane: ControlPlane;
  readonly #ending = new AbortController();
  readonly #played: Promise<void>;
  readonly #signal: AbortSignal;

  private constructor(plane: ControlPlane, client: KubeClient, config: KubeConfig, signal: AbortSignal) {
    this.#plane = plane;
    this.client = client;
    this.config = config;
    this.kubeconfigPath = plane.kubeconfigPath;
    this.#signal = signal;
    this.#played = playNodeAndGateway(client, this.#ending.signal);
  }

  static async start(signal: AbortSignal): Promise<OperatedCluster> {
    const plane = await ControlPlane.start(signal);
    plane.startControllerManager();
    const config = kubeConfig(plane.kubeconfigPath);
    const ports = { logger: silent, clock: systemClock, random: seededRandom(1), userAgent: 'test' };
    await Promise.all([installCrds(signal, config), serveGatewayApi(config, signal)]);
    return new OperatedCluster(plane, createClient(config, ports), config, signal);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#played;
    await this.client.close(0);
    await this.#plane.stop();
  }

  async put(object: Manifest): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const base = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const path = `/${base}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}`;
    const answer = await apply(this.config, path, object);
    if (answer.status >= 300) throw new Error(answer.body.message);
  }

  /** As the gate would have it: the new template, the pause and the marker in one write. */
  async push(namespace: string, image: string): Promise<void> {
    const call = { signal: this.#signal };
    const seen = await this.client.get(deployments, { namespace, name: 'shop' }, call);
    const [container] = seen?.spec?.template.spec?.containers ?? [];
    const template = { spec: { containers: [{ ...container, image }] } };
    const merge = {
      metadata: { annotations: { [HELD_BY_ANNOTATION]: 'shop' } },
      spec: { paused: true, template },
    };
    await this.client.patch(deployments, { namespace, name: 'shop' }, { merge }, call);
  }

  /** Answers how to end it: as if it had been deleted with its namespace. */
  async startOperator(): Promise<() => Promise<void>> {
    const { client } = this;
    const ports = { client, clock: systemClock, random: seededRandom(2), logger: silent };
    let worker: Worker | undefined;
    const informers = new RolloutInformers(
      ports,
      { presetNamespace: 'nowhere', defaultGuardrails: [], evaluators: { of: () => ({ listening: 0, running: 0 }) } },
      (key) => worker?.add(key),
      () => {},
    );
    const pool = new ProviderPool({ client, clock: systemClock, defaultAddress: 'http://127.0.0.1:1' });
    const poller = new GuardrailPoller({ clock: systemClock, logger: silent, pool, sampled: () => {} });
    const reconciler = new RolloutReconciler({
      ...ports,
      sources: informers.sources,
      poller,
      announce: () => {},
      decided: () => {},
      gone: () => {},
    });
    informers.start();
    await informers.synced;
    worker = new Worker(ports, { name: 'rollouts', reconcile: reconciler.reconcile });
    for (const { metadata } of informers.sources.rollouts.list()) worker.add(keyOf(metadata));
    worker.start();
    return async () => {
      const ended = worker;
      worker = undefined;
      await ended?.stop();
      poller.stop();
      pool.close();
      await informers.stop();
    };
  }

  /** Waits until the status of a Rollout is as wanted, and answers it. */
  async reaches(
    namespace: string,
    wanted: (status: RolloutStatus) => boolean,
    { name = 'shop', timeoutMs = 30_000 } = {},
  ): Promise<RolloutStatus> {
    let last: RolloutStatus | undefined;
    const probe = async () => {
      const rollout = await this.client.get(rolloutsResource, { namespace, name }, { signal: this.#signal });
      const parsed = parseRolloutStatus(rollout?.status);
      last = parsed.ok ? parsed.status : undefined;
      return last !== undefined && wanted(last) ? last : undefined;
    };
    return waitFor(probe, { what: String(wanted), timeoutMs, everyMs: 50, signal: this.#signal }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}; it stands at ${last?.phase} ${last?.reason}: ${last?.message}`);
      },
    );
  }
}
