import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { hasSidecar, injectionPatch, whyNotInjectable } from '../../../src/controllers/injection/inject-pod.ts';
import type { Pod } from '../../../src/kube/builtins.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { find, render } from '../../support/helm.ts';
import { applyPatch } from '../../support/json-patch.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';

// The chart's policy in a real API server, with nobody of Sluice there, held against what the webhook would do.
const signal = AbortSignal.timeout(600_000);
const config = kubeConfig();
const API = 'admissionregistration.k8s.io/v1beta1';

const podOf = (spec: Manifest = {}, labels: Manifest = { 'sluice.dev/inject': 'true' }): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', labels },
  spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'shop' }], ...spec },
});

const pods: readonly [string, Manifest][] = [
  ['the plainest pod', podOf()],
  [
    'a pod with everything',
    podOf({
      initContainers: [
        { name: 'migrate', image: 'shop', env: [{ name: 'A', value: '1' }] },
        { name: 'mesh', image: 'mesh', restartPolicy: 'Always' },
      ],
      containers: [
        { name: 'app', image: 'shop', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 8080 }] },
        { name: 'told', image: 'shop', env: [{ name: 'OFREP_ENDPOINT', value: 'http://flags.example' }] },
        { name: 'bare', image: 'shop' },
      ],
      volumes: [{ name: 'cache', emptyDir: {} }],
    }),
  ],
  ['a pod without the label', podOf({}, {})],
  ['a pod with another value', podOf({}, { 'sluice.dev/inject': 'false' })],
  ['a pod in the network of its node', podOf({ hostNetwork: true })],
  ['a pod for Windows', podOf({ os: { name: 'windows' } })],
  ['a pod for Linux', podOf({ os: { name: 'linux' } })],
  ['a pod without account', podOf({ serviceAccountName: undefined })],
  ['a pod with a volume of our names', podOf({ volumes: [{ name: 'sluice-token', emptyDir: {} }] })],
  ['a pod with our port', podOf({ containers: [{ name: 'app', image: 'shop', ports: [{ containerPort: 8017 }] }] })],
  [
    'a pod whose author wrote the evaluator',
    podOf({ initContainers: [{ name: 'sluice-evaluator', image: 'mine', restartPolicy: 'Always' }] }),
  ],
];

const settings = {
  image: 'mine:7',
  imagePullPolicy: 'IfNotPresent',
  resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  operator: 'https://sluice-rulesets.sluice-system.svc:8082',
} as const;

/** What the webhook would make of it. */
function expected(pod: Manifest): Manifest {
  const isWanted = pod.metadata.labels['sluice.dev/inject'] === 'true';
  if (!isWanted || hasSidecar(pod as Pod) || whyNotInjectable(pod as Pod) !== undefined) return pod;
  return applyPatch(pod, injectionPatch(pod as Pod, settings) as never);
}

test('the API server gives the same pods the same evaluator as the webhook', async () => {
  const [namespace, plain] = [await makeNamespace('policy'), await makeNamespace('plain')];
  const objects = await render(
    'image: { repository: mine, tag: "7" }',
    signal,
    '--api-versions',
    `${API}/MutatingAdmissionPolicy`,
  );
  const policy = find(objects, 'MutatingAdmissionPolicy', 'sluice-inject');
  const binding = find(objects, 'MutatingAdmissionPolicyBinding', 'sluice-inject');
  const name = `sluice-inject-${namespace}`; // other files share this API server
  policy.metadata.name = name;
  binding.metadata.name = name;
  binding.spec = {
    policyName: name,
    matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
  };
  for (const [plural, object] of [
    ['mutatingadmissionpolicies', policy],
    ['mutatingadmissionpolicybindings', binding],
  ] as const) {
    const path = `/apis/${API}/${plural}/${name}`;
    expect((await apply(config, path, object)).body.message).toBeUndefined();
    onTestFinished(async () => void (await rawApi(config, 'DELETE', path)));
  }
  const made = async (where: string, pod: Manifest) => {
    const { body } = await rawApi(config, 'POST', `/api/v1/namespaces/${where}/pods?dryRun=All`, { body: pod });
    if (!body.spec) throw new Error(body.message);
    return { labels: body.metadata.labels, spec: body.spec };
  };
  const inForce = async () => (await made(namespace, podOf())).spec.initContainers !== undefined;
  await waitFor(inForce, { what: 'the policy being in force', timeoutMs: 30_000, everyMs: 100, signal });
  for (const [what, pod] of pods)
    expect([what, await made(namespace, pod)]).toEqual([what, await made(plain, expected(pod))]);
  const [, [, full] = []] = pods;
  expect((await made(plain, expected(full))).spec.initContainers).toHaveLength(3); // the comparison was not of nothing
}, 120_000);

test('where the API server knows no such policies, the chart has none', async () => {
  const kinds = (await render('', signal)).map(({ kind }) => kind);
  expect(kinds).not.toContain('MutatingAdmissionPolicy');
});
