import { beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { kubeConfig, makeNamespace } from '../../../support/api-server.ts';
import { startFlagController } from '../../../support/flag-controller.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { startFlagWebhook } from '../../../support/flag-webhook.ts';
import { installCrds } from '../../../support/install-crds.ts';
import { fullFlag, type Manifest } from '../../../support/manifests.ts';
import { apply, rawApi } from '../../../support/raw-api.ts';

// The chart's webhook with the operator's handler behind it, called by a real API server.
const signal = AbortSignal.timeout(300_000);
const config = kubeConfig();
const api = (method: string, path: string, options = {}) => rawApi(config, method, path, options);

beforeAll(() => installCrds(signal));

test('a spec is stamped with its author; a wrong one is refused; a kill always passes, also with nobody there', async () => {
  const namespace = await makeNamespace('webhook');
  const controller = await startFlagController(namespace, [namespace]);
  const path = (name: string) => `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/featureflags/${name}`;
  const put = (name: string, spec: Manifest) => {
    const { metadata: _, ...flag } = flagObject(name) as Manifest;
    return apply(config, path(name), { ...flag, metadata: { name }, spec: { ...flag.spec, ...spec } });
  };
  const revisions = async (name: string, count: number): Promise<Manifest[]> => {
    let history: Manifest[] = [];
    const check = async () => {
      history = (await api('GET', path(name))).body.status?.history ?? [];
      return history.length === count;
    };
    await waitFor(check, { what: `${count} revisions of ${name}`, timeoutMs: 20_000, everyMs: 50, signal });
    return history;
  };
  expect((await put('bad', { offVariant: 'of' })).status).toBe(201); // before the webhook is there
  const server = await startFlagWebhook(controller, namespace, signal);
  const { key: _, prerequisites: __, ...spec } = fullFlag().spec;
  expect((await put('full', spec)).status).toBe(201);
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const { body } = await api('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: review });
  const user = body.status.userInfo.username;
  // What the webhook saw is what is stored: defaults are filled in before it is asked.
  expect(await revisions('full', 1)).toMatchObject([{ author: user, accepted: true }]);

  const refused = await put('full', { ...spec, defaultVariant: 'of' });
  expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining('spec.defaultVariant')]);
  expect((await put('bad', { offVariant: 'of', killSwitch: true })).status).toBe(200);

  await server.stop(0);
  expect((await put('full', { ...spec, killSwitch: true })).status).toBe(200);
  const history = await revisions('full', 2);
  expect(history.map(({ author }) => author)).toEqual([user, undefined]);
}, 120_000);
