import { expect, test } from 'vitest';
import { admitPod } from '../../../../src/controllers/injection/admit-pod.ts';
import { hasSidecar } from '../../../../src/controllers/injection/inject-pod.ts';
import { parseOptions } from '../../../../src/evaluator/options.ts';
import type { Pod } from '../../../../src/kube/builtins.ts';
import type { AdmissionRequest } from '../../../../src/kube/webhook-server.ts';
import { applyPatch } from '../../../support/json-patch.ts';
import type { Manifest } from '../../../support/manifests.ts';

const settings = {
  image: 'sluice/operator:1',
  imagePullPolicy: 'IfNotPresent',
  resources: { limits: { memory: '128Mi' } },
  operator: 'https://sluice-rulesets.sluice-system.svc:8082',
} as const;

const podWith = (spec: Manifest, labels: Manifest = { 'sluice.dev/inject': 'true' }): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'shop-', labels },
  spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'shop' }], ...spec },
});

const ask = (object: Manifest, operation = 'CREATE') =>
  admitPod(settings, () => {})({ operation, namespace: 'shop', object } as AdmissionRequest);

/** The pod as it would be stored. */
async function injected(pod: Manifest): Promise<Manifest> {
  const answer = await ask(pod);
  if (!answer.allowed || !answer.patch) throw new Error(JSON.stringify(answer));
  return applyPatch(pod, answer.patch as never);
}

test('a labelled pod gets an evaluator that starts before all else, and its applications are told where to ask', async () => {
  const pod = podWith({
    initContainers: [{ name: 'migrate', image: 'shop' }],
    containers: [
      { name: 'app', image: 'shop', env: [{ name: 'A', value: '1' }] },
      { name: 'proxy', image: 'proxy' },
    ],
    volumes: [{ name: 'cache', emptyDir: {} }],
  });
  const { metadata, spec } = await injected(pod);
  expect(metadata.labels).toEqual({ 'sluice.dev/inject': 'true', 'sluice.dev/injected': 'true' });
  const endpoint = { name: 'OFREP_ENDPOINT', value: 'http://127.0.0.1:8016' };
  expect(spec.initContainers.map(({ name }: Manifest) => name)).toEqual(['sluice-evaluator', 'migrate']);
  expect(spec.initContainers[1].env).toEqual([endpoint]);
  expect(spec.containers[0].env).toEqual([{ name: 'A', value: '1' }, endpoint]);
  expect(spec.containers[1].env).toEqual([endpoint]);
  expect(spec.volumes.map(({ name }: Manifest) => name)).toEqual([
    'cache',
    'sluice-boot',
    'sluice-state',
    'sluice-token',
  ]);
});

test('the evaluator is a native sidecar without rights, of the flag set of its namespace', async () => {
  const { spec } = await injected(podWith({}));
  const [sidecar] = spec.initContainers;
  expect(sidecar).toMatchObject({ image: 'sluice/operator:1', restartPolicy: 'Always', resources: settings.resources });
  // The sidecar's own parser reads what the operator writes.
  expect(parseOptions(sidecar.args, { POD_NAME: 'shop-1' })).toMatchObject({
    boot: '/var/run/sluice/boot/ruleset.json.gz',
    stateDir: '/var/run/sluice/state',
    stream: {
      address: settings.operator,
      flagSetId: '$(POD_NAMESPACE)',
      subscriber: 'shop-1',
      caFile: '/var/run/sluice/boot/ca.crt',
    },
    publicKeys: ['/var/run/sluice/boot/public-key.pem'],
    readyWithoutAfterMs: 10_000,
    failClosedAfterMs: undefined,
    evaluation: { host: '127.0.0.1', port: 8016 },
    health: { host: '0.0.0.0', port: 8017 },
  });
  const [boot, state, token] = spec.volumes;
  expect(boot.configMap).toEqual({ name: 'sluice-ruleset', optional: true });
  expect(state).toHaveProperty('emptyDir');
  const [{ serviceAccountToken }] = token.projected.sources;
  expect(serviceAccountToken).toMatchObject({ audience: 'sluice', expirationSeconds: 3600 });
  // What is mounted here keeps the API server from mounting a token of its own.
  const at = sidecar.volumeMounts.find(
    ({ mountPath }: Manifest) => mountPath === '/var/run/secrets/kubernetes.io/serviceaccount',
  );
  expect(at.name).toBe('sluice-token');
});

test('an endpoint that the author set is kept', async () => {
  const env = [{ name: 'OFREP_ENDPOINT', value: 'http://flags.example' }];
  const { spec } = await injected(podWith({ containers: [{ name: 'app', image: 'shop', env }] }));
  expect(spec.containers[0].env).toEqual(env);
});

test('asked again about a pod that it has changed, it changes nothing', async () => {
  const once = await injected(podWith({}));
  expect(await ask(once)).toEqual({ allowed: true });
  expect(hasSidecar(once as Pod)).toBe(true);
});

test.each([
  ['a pod without the label', podWith({}, {})],
  ['a pod with another value', podWith({}, { 'sluice.dev/inject': 'false' })],
  [
    'a pod whose author wrote the evaluator himself',
    podWith({ initContainers: [{ name: 'sluice-evaluator', restartPolicy: 'Always' }] }),
  ],
])('%s is left alone in silence', async (_, pod) => {
  expect(await ask(pod)).toEqual({ allowed: true });
});

test.each([
  [podWith({ hostNetwork: true }), 'network of its node'],
  [podWith({ os: { name: 'windows' } }), 'runs on Windows'],
  [podWith({ serviceAccountName: undefined }), 'no service account'],
  [podWith({ volumes: [{ name: 'sluice-state', emptyDir: {} }] }), 'volume sluice-state'],
  [podWith({ containers: [{ name: 'sluice-evaluator' }] }), 'no native sidecar'],
  [podWith({ initContainers: [{ name: 'sluice-evaluator' }] }), 'no native sidecar'],
  [podWith({ containers: [{ name: 'app', ports: [{ containerPort: 8016 }] }] }), 'app has the port 8016'],
])('a pod that can have none runs without, and a warning says why: %#', async (pod, why) => {
  const answer = await ask(pod);
  expect(answer).toEqual({ allowed: true, warnings: [expect.stringContaining(why)] });
});

test('a pod that is there already is never changed', async () => {
  expect(await ask(podWith({}), 'UPDATE')).toEqual({ allowed: true });
});
