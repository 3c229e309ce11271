import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse as parseYaml } from 'yaml';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createClient } from '../../../src/kube/create-client.ts';
import { ControlPlane } from '../../../test/support/control-plane.ts';
import { goModule } from '../../cluster/go-builds.ts';
import { repositoryDir } from '../../cluster/paths.ts';
import { versions } from '../../cluster/versions.ts';
import { waitFor } from '../../cluster/wait.ts';
import { auditFlags } from './audit.ts';
import { FakePrometheus } from './fake-prometheus.ts';
import { startGateway } from './gateway.ts';
import { NODE_NAME, startKubelet } from './kubelet.ts';

/** Controllers that act on Deployments, their sets, pods and Services. Others only cost time; the node's would find our node dead. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'namespace-controller',
];
/** The defaults (20 and 30) would make the world, not the contender, what is measured. */
const CONTROLLER_MANAGER = [`--controllers=${CONTROLLERS.join(',')}`, '--kube-api-qps=500', '--kube-api-burst=1000'];

export interface RigOptions {
  /** Whose calls the API server writes down, for `callsOf`. Names as `system:serviceaccount:NAMESPACE:NAME`. Default nobody's. */
  readonly audited?: readonly string[];
}

/**
 * What every contender is measured against: a real etcd, API server and controller manager on loopback; a kubelet that makes
 * pods ready at once; a gateway that accepts HTTPRoutes at once; a metric source that does what it is told.
 */
export class Rig {
  readonly plane: ControlPlane;
  /** A folder for logs and files; removed by `stop`. */
  readonly dir: string;
  /** An administrator's. */
  readonly kubeConfig: KubeConfig;
  readonly client: KubeClient;
  readonly prometheus: FakePrometheus;
  /** Aborts when the rig stops or its caller gives up. */
  readonly signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #world: { stop(): Promise<void> }[] = [];

  private constructor(plane: ControlPlane, dir: string, prometheus: FakePrometheus, signal: AbortSignal) {
    this.plane = plane;
    this.dir = dir;
    this.prometheus = prometheus;
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
    this.kubeConfig = new KubeConfig();
    this.kubeConfig.loadFromFile(plane.kubeconfigPath);
    this.client = createClient(this.kubeConfig, {
      logger: silent,
      clock: systemClock,
      random: Math.random,
      userAgent: 'sluice-bench',
    });
  }

  /** Answers when everything runs and the Gateway API is served. `signal` ends it in the middle. */
  static async start(signal: AbortSignal, { audited = [] }: RigOptions = {}): Promise<Rig> {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const apiServer = audited.length > 0 ? auditFlags(dir, audited) : [];
    const plane = await ControlPlane.start(signal, { apiServer, controllerManager: CONTROLLER_MANAGER });
    const rig = new Rig(plane, dir, await FakePrometheus.start(), signal);
    try {
      await rig.#installGatewayApi();
      await rig.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE_NAME } });
      rig.#world.push(await startGateway(rig.client, rig.signal));
    } catch (error) {
      await rig.stop();
      throw error;
    }
    return rig;
  }

  /** Lets the controller manager and the kubelet act on what is there. */
  async startWorld(): Promise<void> {
    this.plane.startControllerManager();
    this.#world.push(await startKubelet(this.client, this.signal));
  }

  /** Server-side apply of one object of any kind; repeated while its kind is not served yet. */
  async apply(object: Manifest): Promise<void> {
    await waitFor(() => this.#applyOnce(object), {
      what: `${object.kind} ${object.metadata.name} being applied`,
      timeoutMs: 30_000,
      signal: this.signal,
    });
  }

  async #applyOnce(object: Manifest): Promise<true> {
    const [version = '', group = ''] = object.apiVersion.split('/').reverse();
    const [plural, namespaced] = await this.#pluralOf(group, version, object.kind);
    const { namespace } = object.metadata;
    const resource = { group, version, plural, kind: object.kind, namespaced };
    await this.client.apply(
      resource,
      { ...object, metadata: { ...object.metadata, ...(namespaced ? { namespace } : {}) } },
      { signal: this.signal, force: true },
    );
    return true;
  }

  readonly #plurals = new Map<string, [string, boolean]>();

  async #pluralOf(group: string, version: string, kind: string): Promise<[string, boolean]> {
    const name = `${group}/${version}/${kind}`;
    const known = this.#plurals.get(name);
    if (known) return known;
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const { resources } = (await this.client.raw({ method: 'GET', path }, { signal: this.signal })) as {
      resources: { name: string; kind: string; namespaced: boolean }[];
    };
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (!found) throw new Error(`the API server does not serve ${name}`);
    this.#plurals.set(name, [found.name, found.namespaced]);
    return [found.name, found.namespaced];
  }

  async #installGatewayApi(): Promise<void> {
    const { Dir } = await goModule(`sigs.k8s.io/gateway-api@v${versions.gatewayApi}`, this.signal);
    const folder = join(Dir, 'config/crd/standard');
    const wanted = /_(httproutes|gateways|gatewayclasses)\.yaml$/;
    await this.applyFolder(folder, wanted);
  }

  /** Applies the definitions in a folder's files that `which` picks, one object a file. */
  async applyFolder(folder: string, which: RegExp): Promise<void> {
    for (const file of readdirSync(folder).filter((name) => which.test(name)))
      await this.apply(parseYaml(readFileSync(join(folder, file), 'utf8')));
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the rig was stopped'));
    await Promise.all(this.#world.map((part) => part.stop()));
    await this.client.close(0);
    await this.prometheus.stop();
    await this.plane.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Definitions of Sluice itself. */
export const sluiceCrds = join(repositoryDir, 'crds');

/** A Kubernetes object as it is sent. */
// biome-ignore lint/suspicious/noExplicitAny: any object of any kind
export type Manifest = any;
