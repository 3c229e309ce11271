import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { bundle } from '../../../hack/build.ts';
import { kubeConfig } from '../../support/api-server.ts';
import { ControlPlane } from '../../support/control-plane.ts';
import { apply, rawApi } from '../../support/raw-api.ts';

const signal = AbortSignal.timeout(900_000);
const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rollouts.sluice.dev';
let plane: ControlPlane;
let operator: string;

beforeAll(async () => {
  // Definitions of its own: other files use those of the shared API server.
  [plane, operator] = await Promise.all([ControlPlane.start(signal), bundle('operator')]);
}, 900_000);
afterAll(() => plane?.stop());

/** A job of the chart, with an administrator's rights. */
function run(...args: readonly string[]) {
  const env = { ...process.env, KUBECONFIG: plane.kubeconfigPath };
  return spawnSync(process.execPath, [operator, ...args], { env, encoding: 'utf8', timeout: 60_000 });
}

test('the upgrade job brings definitions from whatever they were to those of the chart', async () => {
  const config = kubeConfig(plane.kubeconfigPath);
  const wanted = parseYaml(readFileSync('charts/sluice/crds/rollouts.yaml', 'utf8'));
  const older = structuredClone(wanted);
  older.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.former = { type: 'string' };
  expect((await apply(config, PATH, older)).status).toBe(201);

  expect(run('apply-crds', 'charts/sluice/crds')).toMatchObject({ status: 0, stderr: '' });
  const stored = (await rawApi(config, 'GET', PATH)).body.spec.versions[0].schema.openAPIV3Schema.properties.spec;
  expect(Object.keys(stored.properties).sort()).toEqual(
    Object.keys(wanted.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties).sort(),
  );
  expect((await rawApi(config, 'GET', PATH.replace('rollouts', 'metrics'))).status).toBe(200); // was missing
});

test('the job before an uninstall says which Rollouts nobody restores, and takes a duration only', async () => {
  const config = kubeConfig(plane.kubeconfigPath);
  const collection = '/apis/sluice.dev/v1alpha1/namespaces/default/rollouts';
  const { body } = await rawApi(config, 'POST', collection, {
    body: {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'web', finalizers: ['sluice.dev/restore'] },
      spec: {
        workload: { name: 'web' },
        traffic: { service: 'web', router: { gatewayAPI: { httpRoutes: [{ name: 'web' }] } } },
        steps: [{ weight: 100, hold: '1m' }],
      },
    },
  });
  expect(body.message).toBeUndefined();
  const { status, stderr, stdout } = run('uninstall', '--timeout', '2s');
  expect(status).toBe(1);
  expect(stderr).toContain('SLUICE_UNINSTALL_TIMEOUT: 1 Rollouts are still there: default/web');
  expect(stdout).toContain('"rollouts":["default/web"]');
  expect(run('uninstall', '--timeout', 'soon')).toMatchObject({ status: 1 });
});

test('the job after an uninstall deletes the rulesets that an operator made, in all namespaces, and nothing else', async () => {
  const config = kubeConfig(plane.kubeconfigPath);
  const path = (namespace: string, name = '') => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const labels = { 'app.kubernetes.io/managed-by': 'sluice' };
  const make = async (namespace: string, name: string, metadata: object) => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } };
    expect((await rawApi(config, 'POST', path(namespace).slice(0, -1), { body })).status).toBe(201);
  };
  await rawApi(config, 'POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } });
  await make('shop', 'sluice-ruleset', { labels });
  await make('default', 'sluice-ruleset', { labels });
  await make('default', 'settings', { labels });
  await make('kube-public', 'sluice-ruleset', {}); // somebody else's
  expect(run('remove-rulesets')).toMatchObject({ status: 0, stderr: '' });
  const statusOf = async (...at: [string, string]) => (await rawApi(config, 'GET', path(...at))).status;
  expect(await statusOf('shop', 'sluice-ruleset')).toBe(404);
  expect(await statusOf('default', 'sluice-ruleset')).toBe(404);
  expect(await statusOf('default', 'settings')).toBe(200);
  expect(await statusOf('kube-public', 'sluice-ruleset')).toBe(200);
});
