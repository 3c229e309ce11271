import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { flagObject } from '../../support/flag-objects.ts';
import { find, render } from '../../support/helm.ts';
import { installCrds } from '../../support/install-crds.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';

// The chart's gate with nobody behind it: what goes through here depends on nothing of Sluice.
const signal = AbortSignal.timeout(600_000);
const config = kubeConfig();
let namespace: string;
let gatePath: string;
const deployments = () => `/apis/apps/v1/namespaces/${namespace}/deployments`;

const merge = (name: string, body: Manifest, suffix = '') =>
  rawApi(config, 'PATCH', `${deployments()}/${name}${suffix}`, { body, contentType: 'application/merge-patch+json' });

const template = (image: string) => ({
  metadata: { labels: { app: 'catalog' } },
  spec: { containers: [{ name: 'app', image }] },
});

/** Makes a Deployment and answers its name. */
async function make(name: string, gated: boolean, paused = false): Promise<string> {
  const answer = await rawApi(config, 'POST', deployments(), {
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels: gated ? { 'sluice.dev/gate': 'enabled' } : {} },
      spec: { paused, selector: { matchLabels: { app: 'catalog' } }, template: template('catalog:v1') },
    },
  });
  expect(answer.status).toBe(201);
  return name;
}

const newTemplate = { spec: { template: { spec: { containers: [{ name: 'app', image: 'catalog:v2' }] } } } };

beforeAll(async () => {
  namespace = await makeNamespace('gate');
  const gate = find(await render('', signal), 'MutatingWebhookConfiguration', 'sluice-gate');
  gate.metadata = { name: `sluice-gate-${namespace}` }; // other files share this API server
  const here = { key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] };
  gate.webhooks[0].namespaceSelector.matchExpressions.push(here);
  for (const hook of gate.webhooks.slice(1)) hook.namespaceSelector = { matchExpressions: [here] };
  await installCrds(signal);
  gatePath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${gate.metadata.name}`;
  expect((await apply(config, gatePath, gate)).body.message).toBeUndefined();
  await make('probe', true);
  const inForce = async () => (await merge('probe', newTemplate, '?dryRun=All')).status === 500;
  await waitFor(inForce, { what: 'the gate being in force', timeoutMs: 30_000, signal });
});

afterAll(() => rawApi(config, 'DELETE', gatePath));

const refused = { status: 500, body: { message: expect.stringContaining('gate.sluice.dev') } };

test('a new template of a gated Deployment waits for the gate, whatever else the write does', async () => {
  const name = await make('template', true);
  expect(await merge(name, newTemplate)).toMatchObject(refused);
  // Taking the label off in the same write is no way around.
  const sneaky = { ...newTemplate, metadata: { labels: { 'sluice.dev/gate': null } } };
  expect(await merge(name, sneaky)).toMatchObject(refused);
  expect(await merge(name, { spec: { ...newTemplate.spec, paused: true } })).toMatchObject(refused);
  const restarted = { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' } } };
  expect(await merge(name, { spec: { template: restarted } })).toMatchObject(refused);
});

test('resuming a gated Deployment waits for the gate, also by leaving the field out', async () => {
  const name = await make('resume', true, true);
  expect(await merge(name, { spec: { paused: false } })).toMatchObject(refused);
  expect(await merge(name, { spec: { paused: null } })).toMatchObject(refused);
});

test('scale, labels, annotations, pausing, status and deletion of a gated Deployment never wait', async () => {
  const name = await make('rest', true);
  const through = async (body: Manifest, suffix = '') => expect((await merge(name, body, suffix)).status).toBe(200);
  await through({ spec: { replicas: 5 } });
  await through({ spec: { replicas: 3 } }, '/scale');
  await through({ metadata: { labels: { team: 'shop' }, annotations: { note: 'x' } } });
  await through({ spec: { paused: true } });
  await through({ spec: { progressDeadlineSeconds: 700 } });
  await through({ status: { observedGeneration: 1 } }, '/status');
  await through({ metadata: { labels: { 'sluice.dev/gate': null } } });
  expect((await rawApi(config, 'DELETE', `${deployments()}/${name}`)).status).toBe(200);
});

test('a Deployment that is not gated is never looked at', async () => {
  const name = await make('free', false);
  expect((await merge(name, newTemplate)).status).toBe(200);
  expect((await merge(name, { spec: { paused: true } })).status).toBe(200);
  expect((await merge(name, { spec: { paused: false } })).status).toBe(200);
  // Opting in with a new template in one write: the label counts from the next write on.
  const both = { metadata: { labels: { 'sluice.dev/gate': 'enabled' } }, spec: { template: template('catalog:v3') } };
  expect((await merge(name, both)).status).toBe(200);
  expect(await merge(name, newTemplate)).toMatchObject(refused);
});

test('making a gated Deployment never waits', async () => {
  await make('created', true);
});

test('feature flags are written, and killed, while nobody is behind the webhook', async () => {
  const { metadata: _, ...flag } = flagObject('a') as Manifest;
  const path = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/featureflags/a`;
  expect((await apply(config, path, { ...flag, metadata: { name: 'a' } })).status).toBe(201);
  const killed = { ...flag, metadata: { name: 'a' }, spec: { ...flag.spec, killSwitch: true } };
  expect(await apply(config, path, killed)).toMatchObject({ status: 200, body: { spec: { killSwitch: true } } });
});

test('pods that want an evaluator are made while nobody is behind the webhook', async () => {
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'labelled', labels: { 'sluice.dev/inject': 'true' } },
    spec: { containers: [{ name: 'app', image: 'catalog:v1' }] },
  };
  const answer = await rawApi(config, 'POST', `/api/v1/namespaces/${namespace}/pods`, { body });
  expect(answer).toMatchObject({ status: 201, body: { spec: { containers: [{ name: 'app' }] } } });
});
