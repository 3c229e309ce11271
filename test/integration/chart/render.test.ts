import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PLAIN_MANIFESTS, plainManifests } from '../../../hack/plain-manifests.ts';
import { parseOperatorConfig } from '../../../src/api/operator-config.ts';
import { parseMetric } from '../../../src/api/parse.ts';
import { parseOptions } from '../../../src/evaluator/options.ts';
import { CHART, find, helm, render } from '../../support/helm.ts';
import type { Manifest } from '../../support/manifests.ts';

const signal = AbortSignal.timeout(900_000); // a machine that has to build Helm first
const podSpecs = (objects: readonly Manifest[]) => objects.flatMap((object) => object.spec?.template?.spec ?? []);

test('helm lint has nothing to say', async () => {
  expect(await helm(['lint', CHART, '--strict'], signal)).toContain('0 chart(s) failed');
});

test('config/ is what the chart renders; if not, run npm run gen', async () => {
  expect(await plainManifests(signal)).toBe(readFileSync(PLAIN_MANIFESTS, 'utf8'));
});

const wrong: readonly [string, string][] = [
  ['replicas: 0', 'replicas'],
  ['replicas: two', 'replicas'],
  ['replica: 2', 'replica'],
  ['image: { repo: x }', 'image'],
  ['image: { pullPolicy: Sometimes }', 'pullPolicy'],
  ['image: { repository: "" }', 'repository'],
  ['image: { tag: 7 }', 'tag'],
  ['prometheus: { address: "prometheus:9090" }', 'address'],
  ['prometheus: { url: "http://x" }', 'prometheus'],
  ['log: { level: loud }', 'level'],
  ['api: { enabled: perhaps }', 'enabled'],
  ['redis: { url: "redis://:secret@redis" }', 'url'],
  ['redis: { password: secret }', 'redis'],
  ['gate: { timeoutSeconds: 0 }', 'timeoutSeconds'],
  ['gate: { failurePolicy: Ignore }', 'gate'],
  ['metrics: { readSecrets: maybe }', 'readSecrets'],
  ['flowControl: { enabled: often }', 'enabled'],
  ['flowControl: { priorityLevel: "" }', 'priorityLevel'],
  ['uninstall: { timeoutSeconds: 29 }', 'timeoutSeconds'],
  ['injection: { image: mine }', 'image'],
  ['evaluator: { replicas: 0 }', 'replicas'],
  ['evaluator: { flagSet: Shop }', 'flagSet'],
  ['defaultGuardrails: [{ metric: http-error-ratio }]', 'name'],
  ['defaultGuardrails: [{ name: errors, maximum: 1 }]', 'maximum'],
  ['defaultGuardrails: [{ name: errors, action: Explode }]', 'action'],
];

test.each(wrong)('the value %s is refused with its field', async (value, field) => {
  await expect(render(value, signal)).rejects.toThrow(field);
});

test('the operator reads its configuration as the chart writes it', async () => {
  const values = `
    prometheus: { address: http://prometheus.test:9090 }
    log: { level: debug }
    defaultGuardrails: [{ name: errors, metric: http-error-ratio, max: 0.01 }]`;
  const config = find(await render(values, signal), 'ConfigMap', 'sluice-config').data['config.yaml'];
  expect(parseOperatorConfig(config)).toMatchObject({
    prometheus: { address: 'http://prometheus.test:9090' },
    log: { level: 'debug' },
    defaultGuardrails: [{ name: 'errors', max: 0.01, interval: 10_000 }],
  });
  const plain = find(await render('image: { tag: "7" }', signal), 'ConfigMap', 'sluice-config').data['config.yaml'];
  expect(parseOperatorConfig(plain)).toMatchObject({
    defaultGuardrails: [],
    injection: { image: 'sluice/operator:7', resources: { limits: { memory: '128Mi' } } },
  });
});

test('what a Secret has for Redis is mounted where the operator is told to read it, and nothing without Redis', async () => {
  const value = 'redis: { url: "rediss://redis.test:6380", existingSecret: redis, caKey: ca.pem, keyPrefix: "a:" }';
  const objects = await render(value, signal);
  const { redis } = parseOperatorConfig(find(objects, 'ConfigMap', 'sluice-config').data['config.yaml']);
  const [passwordFile, caFile] = ['/etc/sluice-redis/password', '/etc/sluice-redis/ca.crt'];
  expect(redis).toEqual({ url: 'rediss://redis.test:6380', keyPrefix: 'a:', passwordFile, caFile });
  const { volumes, containers } = find(objects, 'Deployment', 'sluice-operator').spec.template.spec;
  expect(containers[0].volumeMounts).toContainEqual({ name: 'redis', mountPath: '/etc/sluice-redis', readOnly: true });
  const items = [
    { key: 'password', path: 'password' },
    { key: 'ca.pem', path: 'ca.crt' },
  ];
  expect(volumes).toContainEqual({ name: 'redis', secret: { secretName: 'redis', items } });

  for (const without of ['', 'redis: { existingSecret: redis }']) {
    const plain = await render(without, signal);
    const config = find(plain, 'ConfigMap', 'sluice-config').data['config.yaml'];
    expect(parseOperatorConfig(config).redis).toBeUndefined();
    expect(find(plain, 'Deployment', 'sluice-operator').spec.template.spec.volumes).toHaveLength(1);
  }
  const open = find(await render('redis: { url: "redis://redis" }', signal), 'ConfigMap', 'sluice-config');
  const settings = { url: 'redis://redis', keyPrefix: 'sluice:' };
  expect(parseOperatorConfig(open.data['config.yaml']).redis).toEqual(settings);
});

test('a change of configuration starts new pods, and nothing else does', async () => {
  const template = async (value: string) =>
    find(await render(value, signal), 'Deployment', 'sluice-operator').spec.template;
  expect(await template('log: { level: debug }')).not.toEqual(await template('log: { level: info }'));
  expect(await template('gate: { timeoutSeconds: 5 }')).toEqual(await template('gate: { timeoutSeconds: 3 }'));
});

test('every preset is a Metric that the operator can read, with its placeholders as they were', async () => {
  const metrics = (await render('', signal)).filter(({ kind }) => kind === 'Metric');
  expect(metrics).toHaveLength(7);
  expect(metrics.map(parseMetric)).toEqual(metrics.map(() => expect.objectContaining({ ok: true })));
  for (const { spec } of metrics) expect(spec.provider.prometheus.query).toContain('{{window}}');
  expect((await render('presets: { install: false }', signal)).filter(({ kind }) => kind === 'Metric')).toEqual([]);
});

test('every pod, of hooks too, is as restricted as pod security asks, and places itself as told', async () => {
  const specs = podSpecs(
    await render(
      '{ nodeSelector: { pool: system }, image: { repository: mine, tag: "7" }, evaluator: { enabled: true } }',
      signal,
    ),
  );
  expect(specs).toHaveLength(5);
  for (const { securityContext, containers, nodeSelector } of specs) {
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(nodeSelector).toEqual({ pool: 'system' });
    for (const { image, resources, securityContext: own } of containers) {
      expect(image).toBe('mine:7');
      expect(resources).toMatchObject({
        requests: { cpu: '50m' },
        limits: { memory: expect.stringMatching(/^(256|512)Mi$/) },
      });
      expect(own).toMatchObject({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    }
  }
});

test('the right to read Secrets elsewhere, the pod monitor, the evaluator and the hooks are there only when asked for', async () => {
  const names = (objects: readonly Manifest[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const optional = [
    'ClusterRoleBinding sluice-secret-reader',
    'PodMonitor sluice-operator',
    'Job sluice-uninstall',
    'Job sluice-remove-rulesets',
    'Job sluice-upgrade-crds',
    'Deployment sluice-evaluator',
  ];
  const on = names(
    await render(
      '{ metrics: { readSecrets: true, podMonitor: { enabled: true } }, evaluator: { enabled: true } }',
      signal,
    ),
  );
  expect(on).toEqual(expect.arrayContaining(optional));
  const none = '{ uninstall: { deleteRollouts: false, deleteRulesets: false }, crds: { upgrade: false } }';
  const off = names(await render(none, signal));
  expect(off.filter((name) => optional.includes(name))).toEqual([]);
});

test('a replica that stops still answers until the API server knows, and has the time for its own end after that', async () => {
  const { spec } = find(await render('', signal), 'Deployment', 'sluice-operator').spec.template;
  const { seconds } = spec.containers[0].lifecycle.preStop.sleep;
  expect(seconds).toBe(5);
  expect(spec.terminationGracePeriodSeconds - seconds).toBeGreaterThanOrEqual(20);
});

test('the job before an uninstall ends by itself, with its reasons, before the deadline that takes its pods and their logs away', async () => {
  for (const [value, deadlineSeconds] of [
    ['', 270],
    ['uninstall: { timeoutSeconds: 1800 }', 1800],
  ] as const) {
    const objects = await render(value, signal);
    const { spec } = find(objects, 'Job', 'sluice-uninstall');
    const { args } = spec.template.spec.containers[0];
    expect(args).toEqual(['uninstall', '--timeout', `${deadlineSeconds - 15}s`]);
    expect(spec).toMatchObject({ activeDeadlineSeconds: deadlineSeconds, backoffLimit: 0 });
    expect(spec.podFailurePolicy.rules).toEqual([
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
    ]);
    for (const name of ['sluice-remove-rulesets', 'sluice-upgrade-crds'])
      expect(find(objects, 'Job', name).spec.backoffLimit).toBe(2);
  }
});

test('the FlowSchemas go to the level that is asked for, and away where nobody wants them', async () => {
  const schemasOf = (objects: readonly Manifest[]) => objects.filter(({ kind }) => kind === 'FlowSchema');
  const levels = (objects: readonly Manifest[]) =>
    schemasOf(objects).map(({ spec }) => spec.priorityLevelConfiguration.name);
  expect(levels(await render('', signal))).toEqual([
    'leader-election',
    'workload-low',
    'workload-high',
    'workload-high',
  ]);
  const own = await render('flowControl: { priorityLevel: mine }', signal);
  expect(levels(own)).toEqual(['leader-election', 'workload-low', 'mine', 'mine']);
  expect(schemasOf(await render('flowControl: { enabled: false }', signal))).toEqual([]);
});

test('the Service of the stream leads to a port that the operator has', async () => {
  const objects = await render('', signal);
  const [port] = find(objects, 'Service', 'sluice-rulesets').spec.ports;
  const { spec } = find(objects, 'Deployment', 'sluice-operator').spec.template;
  expect(spec.containers[0].ports).toContainEqual({ name: port.targetPort, containerPort: 8082 });
});

test('an evaluator of its own understands its options, and gets the right to read where flags are not of its namespace', async () => {
  const bindings = (objects: readonly Manifest[]) =>
    objects.filter(({ kind, metadata }) => kind === 'RoleBinding' && metadata.name === 'sluice-evaluator');
  const optionsOf = (objects: readonly Manifest[]) => {
    const { spec } = find(objects, 'Deployment', 'sluice-evaluator').spec.template;
    return parseOptions(spec.containers[0].args, { POD_NAME: 'one' });
  };
  const home = await render('evaluator: { enabled: true }', signal);
  expect(optionsOf(home)).toMatchObject({
    boot: '/var/run/sluice/boot/ruleset.json.gz',
    stream: { flagSetId: 'sluice-system', subscriber: 'one', caFile: '/var/run/sluice/boot/ca.crt' },
    evaluation: { host: '0.0.0.0' },
  });
  expect(bindings(home)).toEqual([]);
  const away = await render('evaluator: { enabled: true, flagSet: shop }', signal);
  // The mounted ruleset would be that of another namespace.
  expect(optionsOf(away)).toMatchObject({ boot: undefined, stream: { flagSetId: 'shop' } });
  expect(bindings(away)).toMatchObject([
    { metadata: { namespace: 'shop' }, roleRef: { name: 'sluice-ruleset-reader' } },
  ]);
});

test('an evaluator serves browsers and phones where their keys are named, on a port of its own', async () => {
  const clients = 'clients: { keysSecret: phones, keysKey: all, origins: ["https://shop.example"] }';
  const spans = 'env: [{ name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://collector:4318" }]';
  const objects = await render(`evaluator: { enabled: true, ${clients}, ${spans} }`, signal);
  const { containers, volumes } = find(objects, 'Deployment', 'sluice-evaluator').spec.template.spec;
  const [{ args, env, ports, volumeMounts }] = containers;
  expect(parseOptions(args, {})?.clients).toEqual({
    keyFile: '/var/run/secrets/sluice-clients/keys',
    origins: ['https://shop.example'],
    host: '0.0.0.0',
    port: 8019,
  });
  expect(env).toContainEqual({ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' });
  expect(ports).toContainEqual({ name: 'clients', containerPort: 8019 });
  expect(volumeMounts).toContainEqual({
    name: 'clients',
    mountPath: '/var/run/secrets/sluice-clients',
    readOnly: true,
  });
  const secret = { secretName: 'phones', items: [{ key: 'all', path: 'keys' }] };
  expect(volumes).toContainEqual({ name: 'clients', secret });
  const port = { name: 'clients', port: 8019, targetPort: 'clients' };
  expect(find(objects, 'Service', 'sluice-evaluator').spec.ports).toContainEqual(port);

  const without = await render('evaluator: { enabled: true }', signal);
  expect(find(without, 'Service', 'sluice-evaluator').spec.ports).not.toContainEqual(port);
  expect(
    parseOptions(find(without, 'Deployment', 'sluice-evaluator').spec.template.spec.containers[0].args, {})?.clients,
  ).toBe(undefined);
});

test('the HTTP API has a Service, a port and its switch in the configuration only where it is asked for, and no rights', async () => {
  const [off, on] = [await render('', signal), await render('api: { enabled: true }', signal)];
  const isApi = ({ kind, metadata }: Manifest) => kind === 'Service' && metadata.name === 'sluice-api';
  const portsOf = (objects: readonly Manifest[]) =>
    find(objects, 'Deployment', 'sluice-operator').spec.template.spec.containers[0].ports;
  const configOf = (objects: readonly Manifest[]) =>
    parseOperatorConfig(find(objects, 'ConfigMap', 'sluice-config').data['config.yaml']);
  expect(off.filter(isApi)).toEqual([]);
  expect(configOf(off).api).toEqual({ enabled: false });
  expect(configOf(on).api).toEqual({ enabled: true });
  const [port] = find(on, 'Service', 'sluice-api').spec.ports;
  expect(port).toEqual({ name: 'https', port: 443, targetPort: 'api' });
  expect(portsOf(on)).toContainEqual({ name: 'api', containerPort: 8443 });
  expect(portsOf(off)).not.toContainEqual(expect.objectContaining({ name: 'api' }));
  const rights = (objects: readonly Manifest[]) => objects.filter(({ apiVersion }) => /^rbac/.test(apiVersion));
  expect(rights(on)).toEqual(rights(off));
});
