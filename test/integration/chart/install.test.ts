import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { kubeConfig } from '../../support/api-server.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { ControlPlane } from '../../support/control-plane.ts';
import { CHART, find, helm, render } from '../../support/helm.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';

// A control plane of its own: the chart's objects are cluster-wide and a gate that nobody answers would stop others' tests.
const signal = AbortSignal.timeout(900_000);
const NAMESPACE = 'sluice-system';
const GATE = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sluice-gate';
const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
const ONE_CA = makeCertificate({ name: 'sluice' }).cert;
const ROLLOUTS = '/apis/sluice.dev/v1alpha1/namespaces/default/rollouts';
let plane: ControlPlane;
let config: ReturnType<typeof kubeConfig>;

const call = (method: string, path: string, body?: Manifest, contentType = 'application/json') =>
  rawApi(config, method, path, { ...(body && { body }), contentType });
const merge = (path: string, body: Manifest) => call('PATCH', path, body, 'application/merge-patch+json');
const statusOf = async (path: string) => (await call('GET', path)).status;
const release = (...args: string[]) =>
  helm([...args, '--namespace', NAMESPACE, '--kubeconfig', plane.kubeconfigPath], signal);
const upgrade = (...args: string[]) => release('upgrade', '--install', 'sluice', CHART, '--create-namespace', ...args);

/** No kubelet runs here: waits for the Job of a hook and says that it succeeded. Answers the Job as it was made. */
async function succeed(name: string, meanwhile = async () => {}): Promise<Manifest> {
  const probe = async () => {
    const { status, body } = await call('GET', `${JOBS}/${name}`);
    return status === 200 && body;
  };
  const job = await waitFor(probe, { what: `the job ${name}`, timeoutMs: 30_000, signal });
  await meanwhile();
  const now = new Date().toISOString();
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
  }));
  const done = { startTime: now, completionTime: now, succeeded: 1, conditions };
  const answer = await merge(`${JOBS}/${name}/status`, { status: done });
  expect(answer.body.message).toBeUndefined();
  return job;
}

beforeAll(async () => {
  plane = await ControlPlane.start(signal);
  config = kubeConfig(plane.kubeconfigPath);
  await apply(config, '/api/v1/namespaces/sluice-system', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  await upgrade();
}, 900_000);

afterAll(() => plane?.stop());

test('an install on an empty cluster brings definitions, presets and all objects', async () => {
  for (const object of await render('', signal)) {
    if (object.metadata.annotations?.['helm.sh/hook']) continue;
    const { name, namespace } = object.metadata;
    const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
    const plural = `${object.kind.toLowerCase().replace(/y$/, 'ie')}s`;
    const path = `${group ? `/apis/${group}` : '/api'}/${version}${namespace ? `/namespaces/${namespace}` : ''}/${plural}/${name}`;
    expect(`${path} ${await statusOf(path)}`).toBe(`${path} 200`);
  }
  const served = async () => (await statusOf(ROLLOUTS)) === 200; // 429 while its storage begins
  await waitFor(served, { what: 'Rollouts being served', timeoutMs: 30_000, signal });
});

test('pods of the operator and of the hooks are admitted where pod security is restricted', async () => {
  const objects = await render('evaluator: { enabled: true }', signal);
  const templates = objects.flatMap((object) => object.spec?.template ?? []);
  expect(templates).toHaveLength(5);
  for (const { spec } of templates) {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'probe' }, spec };
    const { status, body } = await call('POST', `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, pod);
    expect(`${status} ${body.message ?? ''}`).toBe('201 ');
  }
});

test('upgrade and rollback leave the CA alone that the operator wrote, and change the rest', async () => {
  const caBundle = async () => (await call('GET', GATE)).body.webhooks[0].clientConfig.caBundle;
  const patchCa = (text: string) =>
    call(
      'PATCH',
      GATE,
      [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: Buffer.from(text).toString('base64') }],
      'application/json-patch+json',
    );
  const ca = async (text: string) => expect(Buffer.from(await caBundle(), 'base64').toString()).toBe(text);
  await patchCa(ONE_CA);
  await upgrade('--set', 'gate.timeoutSeconds=5', '--set', 'crds.upgrade=false');
  expect((await call('GET', GATE)).body.webhooks[0].timeoutSeconds).toBe(5);
  await ca(ONE_CA);
  await patchCa(ONE_CA + ONE_CA); // while rotating both are trusted
  await release('rollback', 'sluice', '1', '--no-hooks');
  expect((await call('GET', GATE)).body.webhooks[0].timeoutSeconds).toBe(3);
  await ca(ONE_CA + ONE_CA);
});

test('an upgrade applies the definitions by a job of its own before anything else', async () => {
  const upgraded = upgrade('--set', 'gate.timeoutSeconds=7');
  const job = await succeed('sluice-upgrade-crds');
  // The job stands still here; had Helm not waited for it, the gate would have changed by now.
  expect(job.spec.template.spec.containers[0].args).toEqual(['apply-crds', '/crds']);
  await upgraded;
  expect((await call('GET', GATE)).body.webhooks[0].timeoutSeconds).toBe(7);
  expect(await statusOf(`${JOBS}/sluice-upgrade-crds`)).toBe(404);
});

const OPERATOR = `system:serviceaccount:${NAMESPACE}:sluice-operator`;
const UNINSTALL = `system:serviceaccount:${NAMESPACE}:sluice-uninstall`;

/** `verb resource[/subresource] [group] [namespace] [name]`, with `-` for none. */
async function may(user: string, question: string): Promise<boolean> {
  const [verb, what, group, namespace, name] = question.split(' ').map((word) => (word === '-' ? undefined : word));
  const [resource, subresource] = (what ?? '').split('/');
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes: { verb, resource, subresource, group, namespace, name } },
  };
  const { body } = await call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
  return body.status.allowed;
}

const reads = (resource: string, group: string) =>
  ['get', 'list', 'watch'].map((verb) => `${verb} ${resource} ${group} shop`);

test.each([
  ...reads('rollouts', 'sluice.dev'),
  ...reads('metrics', 'sluice.dev'),
  ...reads('featureflags', 'sluice.dev'),
  'update featureflags/status sluice.dev shop',
  'create configmaps - shop',
  ...['list', 'watch', 'update'].map((verb) => `${verb} configmaps - shop sluice-ruleset`),
  ...reads('deployments', 'apps'),
  ...reads('replicasets', 'apps'),
  ...reads('controllerrevisions', 'apps'),
  ...reads('pods', '-'),
  ...reads('services', '-'),
  ...reads('endpointslices', 'discovery.k8s.io'),
  ...reads('horizontalpodautoscalers', 'autoscaling'),
  ...reads('httproutes', 'gateway.networking.k8s.io'),
  ...reads('gateways', 'gateway.networking.k8s.io'),
  'list gatewayclasses gateway.networking.k8s.io',
  'patch rollouts sluice.dev shop',
  'update rollouts/status sluice.dev shop',
  'patch metrics/status sluice.dev shop',
  'patch deployments apps shop',
  'create replicasets apps shop',
  'patch replicasets apps shop',
  'delete replicasets apps shop',
  'create controllerrevisions apps shop',
  'delete controllerrevisions apps shop',
  'create services - shop',
  'patch services - shop',
  'delete services - shop',
  'patch httproutes gateway.networking.k8s.io shop',
  'create events events.k8s.io shop',
  'patch events events.k8s.io shop',
  `create leases coordination.k8s.io ${NAMESPACE}`,
  `update leases coordination.k8s.io ${NAMESPACE}`,
  `create secrets - ${NAMESPACE}`,
  `get secrets - ${NAMESPACE}`,
  ...['list', 'watch', 'update'].map((verb) => `${verb} secrets - ${NAMESPACE} sluice-webhook-certificates`),
  ...['create', 'patch', 'delete'].map((verb) => `${verb} referencegrants gateway.networking.k8s.io ${NAMESPACE}`),
  ...['securitypolicies', 'clienttrafficpolicies'].flatMap((policies) => [
    ...reads(policies, 'gateway.envoyproxy.io'),
    ...['create', 'patch', 'delete'].map((verb) => `${verb} ${policies} gateway.envoyproxy.io shop`),
  ]),
  'create tokenreviews authentication.k8s.io',
  'create subjectaccessreviews authorization.k8s.io',
  'get mutatingwebhookconfigurations admissionregistration.k8s.io - sluice-gate',
  'watch mutatingwebhookconfigurations admissionregistration.k8s.io - sluice-gate',
  'patch mutatingwebhookconfigurations admissionregistration.k8s.io - sluice-gate',
])('the operator may %s', async (question) => {
  expect(await may(OPERATOR, question)).toBe(true);
});

test.each([
  'get secrets - shop',
  'list secrets - shop',
  `list secrets - ${NAMESPACE}`,
  `watch secrets - ${NAMESPACE}`,
  `update secrets - ${NAMESPACE} sluice-rulesets`,
  `delete secrets - ${NAMESPACE} sluice-webhook-certificates`,
  'get configmaps - shop sluice-ruleset',
  'patch rollouts/status sluice.dev shop',
  'patch featureflags/status sluice.dev shop',
  'update metrics/status sluice.dev shop',
  `get referencegrants gateway.networking.k8s.io ${NAMESPACE}`,
  'create referencegrants gateway.networking.k8s.io shop',
  'update securitypolicies gateway.envoyproxy.io shop',
  'update clienttrafficpolicies gateway.envoyproxy.io shop',
  'get tokenreviews authentication.k8s.io',
  'create selfsubjectaccessreviews authorization.k8s.io shop',
  'get configmaps - shop',
  'list configmaps - shop',
  'update configmaps - shop kube-root-ca.crt',
  'delete configmaps - shop sluice-ruleset',
  'patch featureflags sluice.dev shop',
  'update featureflags sluice.dev shop',
  'delete featureflags sluice.dev shop',
  'list namespaces -',
  'create deployments apps shop',
  'delete deployments apps shop',
  'patch deployments/scale apps shop',
  'update deployments apps shop',
  'update replicasets apps shop',
  'patch controllerrevisions apps shop',
  `patch secrets - ${NAMESPACE}`,
  `delete leases coordination.k8s.io ${NAMESPACE}`,
  'update services - shop',
  'create pods - shop',
  'delete pods - shop',
  'create pods/exec - shop',
  'delete httproutes gateway.networking.k8s.io shop',
  'create rollouts sluice.dev shop',
  'delete rollouts sluice.dev shop',
  'patch gateways gateway.networking.k8s.io shop',
  'update leases coordination.k8s.io kube-system',
  'list mutatingwebhookconfigurations admissionregistration.k8s.io',
  'patch mutatingwebhookconfigurations admissionregistration.k8s.io - somebody-elses',
  'delete mutatingwebhookconfigurations admissionregistration.k8s.io - sluice-gate',
  'patch customresourcedefinitions apiextensions.k8s.io - rollouts.sluice.dev',
  'escalate clusterroles rbac.authorization.k8s.io',
  'impersonate serviceaccounts - shop',
])('the operator may not %s', async (question) => {
  expect(await may(OPERATOR, question)).toBe(false);
});

test('uninstalling waits for the job that deletes Rollouts while the operator is there, and leaves only definitions', async () => {
  const gone = release('uninstall', 'sluice');
  // Asked before the job is told to have succeeded.
  const probe = async () => (await statusOf(`${JOBS}/sluice-uninstall`)) === 200;
  await waitFor(probe, { what: 'the job sluice-uninstall', timeoutMs: 30_000, signal });
  expect(await may(UNINSTALL, 'delete rollouts sluice.dev shop')).toBe(true);
  expect(await may(UNINSTALL, 'list rollouts sluice.dev')).toBe(true);
  for (const verb of ['get', 'watch', 'patch'])
    expect(await may(UNINSTALL, `${verb} rollouts sluice.dev shop`)).toBe(false);
  expect(await may(UNINSTALL, 'get mutatingwebhookconfigurations admissionregistration.k8s.io - sluice-gate')).toBe(
    false,
  );
  expect(await may(UNINSTALL, 'delete mutatingwebhookconfigurations admissionregistration.k8s.io - sluice-gate')).toBe(
    true,
  );
  expect(await may(UNINSTALL, 'delete deployments apps shop')).toBe(false);
  expect(await statusOf(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/sluice-operator`)).toBe(200);
  expect((await succeed('sluice-uninstall')).spec.template.spec.containers[0].args).toEqual([
    'uninstall',
    '--timeout',
    '255s',
  ]);
  expect(await may(UNINSTALL, 'delete configmaps - shop sluice-ruleset')).toBe(false);
  const remover = `system:serviceaccount:${NAMESPACE}:sluice-remove-rulesets`;
  const last = await succeed('sluice-remove-rulesets', async () => {
    expect(await may(remover, 'list configmaps - - sluice-ruleset')).toBe(true);
    expect(await may(remover, 'delete configmaps - shop sluice-ruleset')).toBe(true);
    expect(await may(remover, 'delete configmaps - shop kube-root-ca.crt')).toBe(false);
    expect(await may(OPERATOR, 'update configmaps - shop sluice-ruleset')).toBe(false); // it cannot write them anew
  });
  expect(last.spec.template.spec.containers[0].args).toEqual(['remove-rulesets']);
  await gone;
  expect(await statusOf(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/sluice-operator`)).toBe(404);
  expect(await statusOf(GATE)).toBe(404);
  expect(await statusOf('/apis/rbac.authorization.k8s.io/v1/clusterroles/sluice-uninstall')).toBe(404);
  expect(await statusOf(ROLLOUTS)).toBe(200);
});

test('the gate excludes the namespaces of the operator and of the cluster itself', async () => {
  const [gate] = find(
    await render('gate: { excludedNamespaces: [legacy] }', signal),
    'MutatingWebhookConfiguration',
    'sluice-gate',
  ).webhooks;
  expect(gate.namespaceSelector.matchExpressions).toEqual([
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [NAMESPACE, 'kube-system', 'legacy'] },
  ]);
});
