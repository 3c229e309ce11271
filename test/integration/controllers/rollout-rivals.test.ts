import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { ACTION_ANNOTATION, type Action } from '../../../src/api/action.ts';
import { rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import { replicaSets, services } from '../../../src/kube/builtins.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { makeNamespace } from '../../support/api-server.ts';
import type { Manifest } from '../../support/manifests.ts';
import { OperatedCluster } from '../../support/operated-cluster.ts';
import { shopManifests, weightSteps } from '../../support/shop-manifests.ts';
import { tracesOfSluice, userObjects } from '../../support/shop-snapshot.ts';

// What others do to a Rollout that works: a second Rollout for the same Service, a helper deleted by hand, a push at the wrong time.
const signal = AbortSignal.timeout(600_000);
let cluster: OperatedCluster;
let client: KubeClient;
let stopOperator: () => Promise<void>;

beforeAll(async () => {
  cluster = await OperatedCluster.start(signal);
  client = cluster.client;
  stopOperator = await cluster.startOperator();
}, 120_000);

afterAll(async () => {
  await stopOperator();
  await cluster.stop();
});

const longStep = [{ weight: 25, hold: '1h' }];

/** A shop with a stable revision, and its Rollout's manifest. */
async function givenShop(steps: Manifest[]): Promise<{ namespace: string; rollout: Manifest }> {
  const namespace = await makeNamespace('rivals', cluster.config);
  const more = { scaleDownDelay: '1s', fastRevert: { within: '0s' } };
  const { user, rollout } = shopManifests(namespace, 'shop:v1', { steps, replicas: 2, rollout: more });
  rollout.spec.traffic = { ...rollout.spec.traffic, drain: '1s', settle: '100ms' };
  for (const { metadata } of user) delete metadata.labels?.['sluice.dev/gate']; // Sluice sets it, and takes it away
  for (const object of [...user, rollout]) await cluster.put(object);
  await isHealthy(namespace);
  return { namespace, rollout };
}

const isHealthy = (namespace: string) =>
  cluster.reaches(namespace, ({ phase, reason }) => phase === 'Healthy' && reason === 'Healthy');

/** Waits for a weight of 25 %, and answers the hash of the canary. */
async function isInTheMiddle(namespace: string, former?: string): Promise<string | undefined> {
  const { inFlight } = await cluster.reaches(
    namespace,
    ({ inFlight: flight }) => flight?.stage === 'Holding' && flight.weightBp === 2500 && flight.hash !== former,
  );
  return inFlight?.hash;
}

const uidsOf = async (namespace: string): Promise<(string | undefined)[]> => {
  const helpers = ['shop-stable', 'shop-canary'].map((name) => client.get(services, { namespace, name }, { signal }));
  return (await Promise.all(helpers)).map((helper) => helper?.metadata.uid);
};

async function act(namespace: string, action: Action['action']): Promise<void> {
  const annotations = { [ACTION_ANNOTATION]: JSON.stringify({ id: `${action}-${performance.now()}`, action }) };
  const ref = { namespace, name: 'shop' };
  await client.patch(rolloutsResource, ref, { merge: { metadata: { annotations } } }, { signal });
}

const setOf = async (namespace: string, hash: string | undefined) => {
  const { items } = await client.list(
    replicaSets,
    { namespace, labelSelector: `pod-template-hash=${hash}` },
    { signal },
  );
  return items.map(({ metadata, spec }) => [metadata.ownerReferences?.[0]?.kind, spec?.replicas]);
};

test('a refused second Rollout that is deleted leaves helpers, route and Deployment to the one that works', async () => {
  const { namespace, rollout } = await givenShop(longStep);
  await cluster.push(namespace, 'shop:v2');
  await isInTheMiddle(namespace);
  const [before, helpers] = [await userObjects(client, namespace, signal), await uidsOf(namespace)];
  expect(before.deployment.metadata.annotations).toMatchObject({
    'sluice.dev/held-by': 'shop',
    'sluice.dev/gate-added': 'true',
  });
  const ref = { namespace, name: 'twin' };
  await cluster.put({ ...rollout, metadata: { namespace, name: ref.name } });
  await cluster.reaches(
    namespace,
    ({ conditions }) => conditions.some(({ type, reason }) => type === 'Accepted' && reason === 'SLUICE_ROLLOUT_RIVAL'),
    ref,
  );
  const twin = () => client.get(rolloutsResource, ref, { signal });
  const hasFinalizer = async () => (await twin())?.metadata.finalizers?.length === 1;
  await waitFor(hasFinalizer, { what: 'the finalizer of the twin', timeoutMs: 30_000, signal });
  await client.delete(rolloutsResource, ref, { signal });
  const isGone = async () => (await twin()) === undefined;
  await waitFor(isGone, { what: 'the end of the twin', timeoutMs: 30_000, signal });
  expect(await uidsOf(namespace)).toEqual(helpers);
  expect(await userObjects(client, namespace, signal)).toEqual(before);
});

test('a helper Service that is deleted by hand is made again, and the rollout goes on', async () => {
  const { namespace } = await givenShop(longStep);
  await cluster.push(namespace, 'shop:v2');
  const hash = await isInTheMiddle(namespace);
  for (const [at, name] of ['shop-stable', 'shop-canary'].entries()) {
    const before = (await uidsOf(namespace))[at];
    await client.delete(services, { namespace, name }, { signal });
    const isBack = async () => ![undefined, before].includes((await uidsOf(namespace))[at]);
    await waitFor(isBack, { what: `another ${name}`, timeoutMs: 30_000, signal });
    expect(await isInTheMiddle(namespace)).toBe(hash);
  }
});

test('a set that was taken over is given back for another template, and not while the held one asks for it', async () => {
  const { namespace } = await givenShop(weightSteps);
  const { stable: first } = await isHealthy(namespace);
  await cluster.push(namespace, 'shop:v2');
  await cluster.reaches(namespace, ({ phase, stable }) => phase === 'Healthy' && stable?.hash !== first?.hash);
  const ref = { namespace, name: 'shop' };
  await client.patch(rolloutsResource, ref, { merge: { spec: { steps: longStep } } }, { signal });
  await cluster.push(namespace, 'shop:v1');
  for (const again of [true, true, false]) {
    expect(await isInTheMiddle(namespace)).toBe(first?.hash);
    expect(await setOf(namespace, first?.hash)).toEqual([['ControllerRevision', 2]]);
    if (!again) break;
    await act(namespace, 'abort');
    await cluster.reaches(namespace, ({ phase, inFlight }) => phase === 'RolledBack' && !inFlight);
    expect(await setOf(namespace, first?.hash)).toEqual([['ControllerRevision', 0]]);
    await act(namespace, 'retry');
  }
  await cluster.push(namespace, 'shop:v3');
  const third = await isInTheMiddle(namespace, first?.hash);
  expect(await setOf(namespace, first?.hash)).toEqual([['Deployment', 0]]);
  expect(await setOf(namespace, third)).toEqual([['ControllerRevision', 2]]);
  await act(namespace, 'promote-full');
  await cluster.reaches(namespace, ({ phase, stable }) => phase === 'Healthy' && stable?.hash === third);
  const traces = await tracesOfSluice(client, namespace, signal);
  expect(traces.filter((one) => !one.includes('gate-added'))).toEqual([]);
});
