import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinary } from '../../hack/cluster/binaries.ts';
import { ensurePki } from '../../hack/cluster/certificates.ts';
import {
  apiServerArgs,
  type ControlPlaneSettings,
  controllerManagerArgs,
  etcdArgs,
  makeControlPlanePki,
} from '../../hack/cluster/control-plane.ts';
import { waitFor } from '../../hack/cluster/wait.ts';

/** Flags beside those that every control plane gets. */
export interface ExtraFlags {
  readonly apiServer?: readonly string[];
  readonly controllerManager?: readonly string[];
}

type Part = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

const START_TIMEOUT_MS = 60_000;

/**
 * A real etcd and kube-apiserver on loopback, without nodes: objects are stored, validated, watched and guarded by RBAC,
 * and nothing acts on them unless the controller manager is started too. Everything lies in one temporary folder.
 */
export class ControlPlane {
  readonly #dir: string;
  readonly #binDir: string;
  readonly #settings: ControlPlaneSettings;
  readonly #extra: ExtraFlags;
  readonly #running = new Map<Part, ChildProcess>();

  private constructor(dir: string, binDir: string, settings: ControlPlaneSettings, extra: ExtraFlags) {
    this.#dir = dir;
    this.#binDir = binDir;
    this.#settings = settings;
    this.#extra = extra;
  }

  /** Answers when the API server is ready. The first call on a machine builds Kubernetes, which takes minutes. */
  static async start(signal: AbortSignal, extra: ExtraFlags = {}): Promise<ControlPlane> {
    const binDir = await ensureBinary('k1s', signal);
    const dir = mkdtempSync(join(tmpdir(), 'sluice-control-plane-'));
    const [port, etcdClientPort, etcdPeerPort] = await freePorts();
    const settings = {
      pkiDir: join(dir, 'pki'),
      dataDir: dir,
      address: '127.0.0.1',
      port,
      etcdClientPort,
      etcdPeerPort,
      serviceRange: '198.18.128.0/17',
      serviceAddress: '198.18.128.1',
    };
    const plane = new ControlPlane(dir, binDir, settings, extra);
    try {
      await ensurePki(settings.pkiDir, (pki) => makeControlPlanePki(pki, settings, signal));
      plane.#spawn('etcd', etcdArgs(settings));
      await plane.startApiServer(signal);
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return plane;
  }

  /** A file with the credentials of an administrator. */
  get kubeconfigPath(): string {
    return join(this.#settings.pkiDir, 'admin.kubeconfig');
  }

  /** Starts the API server again after `stopApiServer`, at the same address, and answers when it is ready. */
  async startApiServer(signal: AbortSignal): Promise<void> {
    // No controller makes the service accounts that this plug-in would ask for.
    const special = ['--authorization-mode=RBAC', '--disable-admission-plugins=ServiceAccount'];
    this.#spawn('kube-apiserver', [...apiServerArgs(this.#settings), ...special, ...(this.#extra.apiServer ?? [])]);
    const what = 'the API server becoming ready';
    await waitFor(() => this.#isReady(signal), { what, timeoutMs: START_TIMEOUT_MS, everyMs: 50, signal });
  }

  /** Kills the API server as a crash would: watches break off without a word. */
  async stopApiServer(): Promise<void> {
    await this.#kill('kube-apiserver');
  }

  async restartApiServer(signal: AbortSignal): Promise<void> {
    await this.stopApiServer();
    await this.startApiServer(signal);
  }

  /** Adds the real controllers: Deployments and ReplicaSets make pods (which stay Pending), owners are collected. */
  startControllerManager(): void {
    const { controllerManager = [] } = this.#extra;
    this.#spawn('kube-controller-manager', [
      ...controllerManagerArgs(this.#settings),
      '--secure-port=0',
      ...controllerManager,
    ]);
  }

  async stopControllerManager(): Promise<void> {
    await this.#kill('kube-controller-manager');
  }

  /** Ends every process and removes the data. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((part) => this.#kill(part)));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #spawn(part: Part, args: readonly string[]): void {
    const log = openSync(join(this.#dir, `${part}.log`), 'a');
    // With its parent gone a part would run on for ever: the kernel ends it then.
    const command = ['--pdeathsig', 'KILL', join(this.#binDir, part), ...args];
    this.#running.set(part, spawn('setpriv', command, { stdio: ['ignore', log, log] }));
  }

  async #kill(part: Part): Promise<void> {
    const child = this.#running.get(part);
    this.#running.delete(part);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async #isReady(signal: AbortSignal): Promise<boolean> {
    for (const [part, { exitCode }] of this.#running) {
      if (exitCode !== null) signalDeath(part, readFileSync(join(this.#dir, `${part}.log`), 'utf8'));
    }
    const { pkiDir, address: host, port } = this.#settings;
    const read = (file: string) => readFileSync(join(pkiDir, file));
    const identity = { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') };
    return new Promise((resolve, reject) => {
      const asked = request({ host, port, path: '/readyz', signal, agent: false, ...identity }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.on('error', reject).end();
    });
  }
}

function signalDeath(part: Part, log: string): never {
  throw new Error(`${part} ended while starting:\n${log.trimEnd().split('\n').slice(-10).join('\n')}`);
}

/** Three ports that nobody uses now: all are held open before the first is given back. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port');
    ports.push(address.port);
  }
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports as [number, number, number];
}
