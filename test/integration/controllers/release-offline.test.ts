import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { connect } from '../../../src/cli/connect.ts';
import { runCli } from '../../../src/cli/program.ts';
import { LEADER_LEASE } from '../../../src/controllers/installation.ts';
import { releaseOffline } from '../../../src/controllers/rollout/release-offline.ts';
import { rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import { leases, mutatingWebhookConfigurations } from '../../../src/kube/builtins.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { makeNamespace } from '../../support/api-server.ts';
import type { Manifest } from '../../support/manifests.ts';
import { OperatedCluster } from '../../support/operated-cluster.ts';
import { shopManifests } from '../../support/shop-manifests.ts';
import { tracesOfSluice, userObjects } from '../../support/shop-snapshot.ts';

// The operator that brings a rollout to its middle is the real one, and then ends as if it had been deleted with its namespace.
const signal = AbortSignal.timeout(600_000);
let cluster: OperatedCluster;
let client: KubeClient;

beforeAll(async () => {
  cluster = await OperatedCluster.start(signal);
  client = cluster.client;
}, 120_000);

afterAll(() => cluster.stop());

interface Shop {
  readonly namespace: string;
  readonly before: Record<string, Manifest>;
}

/** A shop whose Rollout waits at a weight of 25 %, without an operator. */
async function inTheMiddle(onDelete?: 'Release'): Promise<Shop> {
  const namespace = await makeNamespace('offline', cluster.config);
  const steps = [{ weight: 25, hold: '1h' }];
  const { user, rollout } = shopManifests(namespace, 'shop:v1', {
    steps,
    replicas: 2,
    rollout: { scaleDownDelay: '1s', ...(onDelete ? { onDelete } : {}) },
  });
  rollout.spec.traffic = { ...rollout.spec.traffic, drain: '1s', settle: '100ms' };
  for (const object of [...user, rollout]) await cluster.put(object);
  const operator = await cluster.startOperator();
  await cluster.reaches(namespace, ({ phase, reason }) => phase === 'Healthy' && reason === 'Healthy');
  const before = await userObjects(client, namespace, signal);
  await cluster.push(namespace, 'shop:v2');
  await cluster.reaches(namespace, ({ inFlight }) => inFlight?.stage === 'Holding' && inFlight.weightBp === 2500);
  await operator();
  expect((await userObjects(client, namespace, signal)).route).not.toEqual(before.route);
  return { namespace, before };
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
    connect: (flags) => connect({ kubeconfig: cluster.kubeconfigPath, ...flags }),
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
