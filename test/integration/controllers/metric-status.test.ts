import { beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { reconcileMetric } from '../../../src/controllers/metric/reconcile.ts';
import { type CustomObject, metricsResource } from '../../../src/controllers/rollout/sources.ts';
import { secrets } from '../../../src/kube/builtins.ts';
import { Cache } from '../../../src/kube/cache.ts';
import { makeNamespace } from '../../support/api-server.ts';
import { installCrds } from '../../support/install-crds.ts';
import { makeClient } from '../../support/kube-client.ts';
import type { Manifest } from '../../support/manifests.ts';

const signal = AbortSignal.timeout(120_000);
let namespace: string;

beforeAll(async () => {
  await installCrds(signal);
  namespace = await makeNamespace('metric-status');
});

/** Makes a Metric; answers one pass of its controller, which sees the object as it stands. */
async function given(name: string, prometheus: Manifest) {
  const client = makeClient();
  const ref = { namespace, name };
  const spec = { provider: { prometheus } };
  await client.create<CustomObject>(
    metricsResource,
    { apiVersion: 'sluice.dev/v1alpha1', kind: 'Metric', metadata: ref, spec },
    { signal },
  );
  const read = async (): Promise<Manifest> => client.get(metricsResource, ref, { signal });
  const pass = async () => {
    const metrics = new Cache<CustomObject>({});
    metrics.put(await read());
    return reconcileMetric({ client, clock: systemClock, metrics }, `${namespace}/${name}`, signal);
  };
  return { client, ref, read, pass };
}

const columnOf = ({ status }: Manifest) => status.conditions.find(({ type }: Manifest) => type === 'Accepted');

test('a Metric says that it is accepted, of which generation, and is not written again', async () => {
  const { read, pass } = await given('good', { query: 'up' });
  expect(await pass()).toEqual({});
  const first = await read();
  expect(columnOf(first)).toMatchObject({ status: 'True', reason: 'Accepted', observedGeneration: 1 });
  expect(first.status.observedGeneration).toBe(1);
  await pass();
  expect((await read()).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
});

test('a change of the spec is judged anew', async () => {
  const { client, ref, read, pass } = await given('changes', { query: 'up' });
  await pass();
  const query = 'up + {{nobody}}';
  await client.patch(metricsResource, ref, { merge: { spec: { provider: { prometheus: { query } } } } }, { signal });
  await pass();
  expect(columnOf(await read())).toMatchObject({
    status: 'False',
    reason: expect.stringMatching(/^SLUICE_QUERY_/),
    observedGeneration: 2,
  });
});

test('a Secret that is missing is looked for again, and found', async () => {
  const { client, read, pass } = await given('secret', {
    query: 'up',
    auth: { bearerToken: { name: 'token', key: 'token' } },
  });
  expect(await pass()).toEqual({ at: expect.any(Number) });
  expect(columnOf(await read())).toMatchObject({ status: 'False', reason: 'SLUICE_SECRET_NOT_FOUND' });
  const made = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'token' }, data: { token: 'eA==' } };
  await client.create(secrets, made, { signal });
  expect(await pass()).toEqual({});
  expect(columnOf(await read())).toMatchObject({ status: 'True' });
});
