import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { HELD_BY_ANNOTATION } from '../../../src/api/names.ts';
import { parseRolloutStatus } from '../../../src/api/parse.ts';
import type { RolloutStatus } from '../../../src/api/rollout-status.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { connect } from '../../../src/cli/connect.ts';
import { runCli } from '../../../src/cli/program.ts';
import { LEADER_LEASE } from '../../../src/controllers/installation.ts';
import { GuardrailPoller } from '../../../src/controllers/rollout/guardrail-poller.ts';
import { RolloutInformers } from '../../../src/controllers/rollout/informers.ts';
import { ProviderPool } from '../../../src/controllers/rollout/provider-pool.ts';
import { RolloutReconciler } from '../../../src/controllers/rollout/reconcile.ts';
import { releaseOffline } from '../../../src/controllers/rollout/release-offline.ts';
import { rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import { deployments, leases, mutatingWebhookConfigurations } from '../../../src/kube/builtins.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createClient } from '../../../src/kube/create-client.ts';
import { keyOf } from '../../../src/kube/resource.ts';
import { Worker } from '../../../src/kube/worker.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { ControlPlane } from '../../support/control-plane.ts';
import { installCrds } from '../../support/install-crds.ts';
import type { Manifest } from '../../support/manifests.ts';
import { playNodeAndGateway } from '../../support/play-nodes.ts';
import { apply } from '../../support/raw-api.ts';
import { serveGatewayApi } from '../../support/serve-gateway-api.ts';
import { shopManifests } from '../../support/shop-manifests.ts';
import { tracesOfSluice, userObjects } from '../../support/shop-snapshot.ts';

// A real API server with its real controllers; the test plays nodes and gateway. The operator that brings a rollout to its
// middle is the real one too, and then ends as if it had been deleted with its namespace.
const signal = AbortSignal.timeout(600_000);
const ending = new AbortController();
let plane: ControlPlane;
let client: KubeClient;
let played: Promise<void>;

beforeAll(async () => {
  plane = await ControlPlane.start(signal);
  plane.startControllerManager();
  const config = kubeConfig(plane.kubeconfigPath);
  client = createClient(config, { logger: silent, clock: systemClock, random: seededRandom(1), userAgent: 'test' });
  await Promise.all([installCrds(signal, config), serveGatewayApi(config, signal)]);
  played = playNodeAndGateway(client, ending.signal);
}, 120_000);

afterAll(async () => {
  ending.abort();
  await played;
  await client.close(0);
  await plane.stop();
});

interface Shop {
  readonly namespace: string;
  readonly before: Record<string, Manifest>;
}

/** A shop whose Rollout waits at a weight of 25 %, without an operator. */
async function inTheMiddle(onDelete?: 'Release'): Promise<Shop> {
  const config = kubeConfig(plane.kubeconfigPath);
  const namespace = await makeNamespace('offline', config);
  const steps = [{ weight: 25, hold: '1h' }];
  const { user, rollout } = shopManifests(namespace, 'shop:v1', {
    steps,
    replicas: 2,
    rollout: { scaleDownDelay: '1s', ...(onDelete ? { onDelete } : {}) },
  });
  rollout.spec.traffic = { ...rollout.spec.traffic, drain: '1s', settle: '100ms' };
  for (const object of [...user, rollout]) await put(config, object);
  const operator = await startOperator();
  await reaches(namespace, ({ phase, reason }) => phase === 'Healthy' && reason === 'Healthy');
  const before = await userObjects(client, namespace, signal);
  await push(namespace, 'shop:v2');
  await reaches(namespace, ({ inFlight }) => inFlight?.stage === 'Holding' && inFlight.weightBp === 2500);
  await operator();
  expect((await userObjects(client, namespace, signal)).route).not.toEqual(before.route);
  return { namespace, before };
}

async function put(config: ReturnType<typeof kubeConfig>, object: Manifest): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const base = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
  const path = `/${base}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}`;
  const answer = await apply(config, path, object);
  if (answer.status >= 300) throw new Error(answer.body.message);
}

/** As the gate would have it: the new template, the pause and the marker in one write. */
async function push(namespace: string, image: string): Promise<void> {
  const merge = {
    metadata: { annotations: { [HELD_BY_ANNOTATION]: 'shop' } },
    spec: { paused: true },
  };
  const seen = await client.get(deployments, { namespace, name: 'shop' }, { signal });
  const [container] = seen?.spec?.template.spec?.containers ?? [];
  const template = { spec: { containers: [{ ...container, image }] } };
  await client.patch(
    deployments,
    { namespace, name: 'shop' },
    { merge: { ...merge, spec: { ...merge.spec, template } } },
    { signal },
  );
}

/** Answers how to end it. */
async function startOperator(): Promise<() => Promise<void>> {
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

async function reaches(namespace: string, wanted: (status: RolloutStatus) => boolean): Promise<void> {
  let last: RolloutStatus | undefined;
  const probe = async () => {
    const rollout = await client.get(rolloutsResource, { namespace, name: 'shop' }, { signal });
    const parsed = parseRolloutStatus(rollout?.status);
    last = parsed.ok ? parsed.status : undefined;
    return last !== undefined && wanted(last);
  };
  await waitFor(probe, { what: String(wanted), timeoutMs: 30_000, everyMs: 50, signal }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it stands at ${last?.phase} ${last?.reason}: ${last?.message}`);
  });
}

async function sluice(...args: string[]): Promise<{ exit: number; out: string; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runCli(args, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    colour: false,
    clock: systemClock,
    signal,
    connect: (flags) => connect({ kubeconfig: plane.kubeconfigPath, ...flags }),
    readText: () => Promise.reject(new Error('no files here')),
    releaseOffline,
  });
  return { exit, out: out.join('\n'), err };
}

const deploymentOf = async (namespace: string): Promise<Manifest> =>
  (await userObjects(client, namespace, signal)).deployment;

const image = (deployment: Manifest): string => deployment.spec.template.spec.containers[0].image;

describe('release --offline in the middle of a rollout', () => {
  test('puts route and Service back, leaves the Deployment held, and nothing of Sluice', async () => {
    const { namespace, before } = await inTheMiddle();
    const { exit, out, err } = await sluice('release', 'shop', '--offline', '-n', namespace);
    expect(err.join('\n')).toContain('Rollout shop is marked for deletion');
    expect({ exit, out }).toEqual({ exit: 0, out: 'shop: released, and nothing of Sluice is left' });
    const after = await userObjects(client, namespace, signal);
    expect({ service: after.service, route: after.route }).toEqual({ service: before.service, route: before.route });
    expect(after.deployment.metadata).toEqual(before.deployment.metadata);
    expect(after.deployment.spec.paused).toBe(true);
    expect(image(after.deployment)).toBe('shop:v2');
    expect(await tracesOfSluice(client, namespace, signal)).toEqual([]);
    expect(await client.list(rolloutsResource, { namespace }, { signal })).toMatchObject({ items: [] });
    const [first, ...rest] = err;
    expect(first).toBe('Rollout shop is marked for deletion');
    expect(rest.filter((line, index) => line === rest[index - 1])).toEqual([]); // waiting is told once
  });

  test('--on-delete RestoreStable leaves every object of the user as it was before the rollout', async () => {
    const { namespace, before } = await inTheMiddle('Release');
    const { exit } = await sluice('release', 'slr/shop', '--offline', '-n', namespace, '--on-delete', 'RestoreStable');
    expect(exit).toBe(0);
    const after = await userObjects(client, namespace, signal);
    const { paused, ...spec } = after.deployment.spec;
    expect(paused).toBeFalsy();
    expect({ ...after, deployment: { ...after.deployment, spec } }).toEqual(before);
    expect(await tracesOfSluice(client, namespace, signal)).toEqual([]);
  });

  test('takes what the spec says where nothing else is asked, and goes on where it was interrupted', async () => {
    const { namespace, before } = await inTheMiddle('Release');
    const short = await sluice('release', 'shop', '--offline', '-n', namespace, '--timeout', '1s');
    expect(short).toMatchObject({
      exit: 5,
      err: expect.arrayContaining([expect.stringContaining('SLUICE_CLI_NOT_RELEASED')]),
    });
    expect((await sluice('release', 'shop', '--offline', '-n', namespace)).exit).toBe(0);
    const deployment = await deploymentOf(namespace);
    expect(deployment.spec.paused).toBeFalsy();
    expect(image(deployment)).toBe('shop:v2');
    expect((await userObjects(client, namespace, signal)).route).toEqual(before.route);
    expect(await tracesOfSluice(client, namespace, signal)).toEqual([]);
  });

  test('is refused before anything is written where an operator lives or the gate would stop it half way', async () => {
    const { namespace } = await inTheMiddle();
    const untouched = async () =>
      (await client.get(rolloutsResource, { namespace, name: 'shop' }, { signal }))?.metadata;
    const before = await untouched();
    const held = await keepLease(namespace);
    const alive = await sluice('release', 'shop', '--offline', '-n', namespace);
    expect(alive).toMatchObject({ exit: 5, err: [expect.stringMatching(/SLUICE_CLI_OPERATOR_ALIVE.*somebody/)] });
    await held();
    await client.create(
      mutatingWebhookConfigurations,
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'sluice-gate' },
      },
      { signal },
    );
    // The Lease stands as its dead holder left it, which is not taken for life.
    const gated = await sluice('release', 'shop', '--offline', '-n', namespace, '--on-delete', 'Release');
    expect(gated).toMatchObject({ exit: 5, err: [expect.stringContaining('SLUICE_CLI_GATE_UNSERVED')] });
    expect(await untouched()).toEqual(before);
    await client.delete(mutatingWebhookConfigurations, { name: 'sluice-gate' }, { signal });
  });
});

/** A Lease that somebody renews until told to stop. */
async function keepLease(namespace: string): Promise<() => Promise<void>> {
  const end = new AbortController();
  const renewTime = () => new Date().toISOString().replace('Z', '000Z');
  const spec = () => ({ holderIdentity: 'somebody', leaseDurationSeconds: 1, renewTime: renewTime() });
  const metadata = { namespace, name: LEADER_LEASE };
  await client.create(
    leases,
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: spec() },
    { signal },
  );
  const renewed = (async () => {
    while (!end.signal.aborted) await client.patch(leases, metadata, { merge: { spec: spec() } }, { signal });
  })();
  return async () => {
    end.abort();
    await renewed;
  };
}

test('flags of the offline release mean nothing without it', async () => {
  const wrong = await sluice('release', 'shop', '--on-delete', 'Release');
  expect(wrong).toMatchObject({ exit: 5, err: [expect.stringContaining('SLUICE_CLI_ARGUMENT')] });
});
