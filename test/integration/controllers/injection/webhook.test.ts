import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { silent } from '../../../../src/base/logger.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { admitPod } from '../../../../src/controllers/injection/admit-pod.ts';
import { PodsWithoutSidecar } from '../../../../src/controllers/injection/pods-without-sidecar.ts';
import { issueServingCertificate } from '../../../../src/kube/certificates.ts';
import type { Notice } from '../../../../src/kube/events.ts';
import { WebhookServer } from '../../../../src/kube/webhook-server.ts';
import { kubeConfig, makeNamespace } from '../../../support/api-server.ts';
import { find, render } from '../../../support/helm.ts';
import { makeClient } from '../../../support/kube-client.ts';
import type { Manifest } from '../../../support/manifests.ts';
import { apply, rawApi } from '../../../support/raw-api.ts';

// The chart's webhook with the operator's handler behind it, called by a real API server that asks for restricted pods.
const signal = AbortSignal.timeout(300_000);
const config = kubeConfig();

async function serve(namespace: string, claim: (namespace: string) => void): Promise<WebhookServer> {
  const issued = issueServingCertificate({
    hosts: ['127.0.0.1'],
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const settings = {
    image: 'sluice/operator:1',
    imagePullPolicy: 'IfNotPresent',
    resources: { limits: { memory: '128Mi' } },
    operator: 'https://sluice-rulesets.sluice-system.svc:8082',
  } as const;
  const options = { host: '127.0.0.1', port: 0, routes: { '/inject': admitPod(settings, claim) } };
  const server = new WebhookServer({ clock: systemClock, logger: silent }, options);
  await server.start(issued);
  onTestFinished(() => server.stop(0));
  const gate = find(await render('', signal), 'MutatingWebhookConfiguration', 'sluice-gate');
  const hook = gate.webhooks.find(({ name }: Manifest) => name === 'inject.sluice.dev');
  const caBundle = Buffer.from(issued.ca).toString('base64');
  hook.clientConfig = { url: `https://127.0.0.1:${server.port}/inject`, caBundle };
  hook.namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/inject-${namespace}`;
  const answer = await apply(config, path, { ...gate, metadata: { name: `inject-${namespace}` }, webhooks: [hook] });
  expect(answer.body.message).toBeUndefined();
  onTestFinished(async () => void (await rawApi(config, 'DELETE', path)));
  return server;
}

const security = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

function podOf(name: string, labels: Manifest, spec: Manifest = {}): Manifest {
  const containers = [{ name: 'app', image: 'shop', securityContext: security }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { serviceAccountName: 'default', containers, ...spec },
  };
}

const wanted = { 'sluice.dev/inject': 'true' };

test('labelled pods are stored with an evaluator where pods must be restricted; those made without the webhook are told of', async () => {
  const namespace = await makeNamespace('inject');
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const body = { metadata: { labels } };
  const patched = await rawApi(config, 'PATCH', `/api/v1/namespaces/${namespace}`, {
    body,
    contentType: 'application/merge-patch+json',
  });
  expect(patched.status).toBe(200);
  const make = (pod: Manifest, query = '') =>
    rawApi(config, 'POST', `/api/v1/namespaces/${namespace}/pods${query}`, { body: pod });

  const woken: string[] = [];
  const ports = { client: makeClient(), clock: systemClock, random: seededRandom(1), logger: silent };
  const told: string[] = [];
  const record = ({ about: { metadata }, note }: Notice) =>
    metadata.namespace === namespace && told.push(`${metadata.name}: ${note}`);
  const lacking = new PodsWithoutSidecar(ports, {
    recorder: { record, stop: async () => {} },
    wake: (one) => one === namespace && woken.push(one), // other files share this API server
    onBreak: () => {},
  });
  lacking.lead();
  lacking.start();
  onTestFinished(() => lacking.stop());

  const claimed: string[] = [];
  const server = await serve(namespace, (one) => claimed.push(one));
  const inForce = async () => {
    const { status, body: probe } = await make(podOf('probe', wanted), '?dryRun=All');
    if (status !== 201) throw new Error(probe.message);
    return probe.spec.initContainers?.length === 1;
  };
  await waitFor(inForce, { what: 'the webhook being in force', timeoutMs: 30_000, everyMs: 100, signal });
  expect(claimed).toEqual([]); // a dry run leaves nothing behind
  const given = await make(podOf('given', wanted));
  expect(given.body.message).toBeUndefined();
  expect(given.body.spec.initContainers).toMatchObject([{ name: 'sluice-evaluator', restartPolicy: 'Always' }]);
  expect(claimed).toEqual([namespace]);
  const plain = await make(podOf('plain', {}));
  expect(plain.body.spec).not.toHaveProperty('initContainers');
  const twin = await make(podOf('twin', wanted, { volumes: [{ name: 'sluice-boot', emptyDir: {} }] }));
  expect(twin.headers.warning).toContain('volume sluice-boot');

  await server.stop(0);
  // What says that it was given one is not looked at: all those of a large cluster would be in memory.
  expect((await make(podOf('marked', { ...wanted, 'sluice.dev/injected': 'true' }))).status).toBe(201);
  expect((await make(podOf('orphan', wanted))).status).toBe(201);
  const all = async () => lacking.countIn(namespace) === 2;
  await waitFor(all, { what: 'two pods without evaluator', timeoutMs: 20_000, everyMs: 50, signal });
  expect(lacking.counts().get(namespace)).toBe(2);
  expect(woken).toHaveLength(1);
  expect(told.sort()).toEqual([
    expect.stringMatching(/^orphan: .*webhook did not answer/),
    expect.stringMatching(/^twin: .*volume sluice-boot/),
  ]);

  for (const name of ['orphan', 'twin'])
    await rawApi(config, 'DELETE', `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`);
  const none = async () => woken.length === 2 && !lacking.counts().has(namespace);
  await waitFor(none, { what: 'none without evaluator', timeoutMs: 20_000, everyMs: 50, signal });
}, 120_000);
