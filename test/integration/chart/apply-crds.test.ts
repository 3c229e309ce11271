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

test('the upgrade job brings definitions from whatever they were to those of the chart', async () => {
  const config = kubeConfig(plane.kubeconfigPath);
  const wanted = parseYaml(readFileSync('charts/sluice/crds/rollouts.yaml', 'utf8'));
  const older = structuredClone(wanted);
  older.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.former = { type: 'string' };
  expect((await apply(config, PATH, older)).status).toBe(201);

  const env = { ...process.env, KUBECONFIG: plane.kubeconfigPath };
  const args = [operator, 'apply-crds', 'charts/sluice/crds'];
  const ran = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000 });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  const stored = (await rawApi(config, 'GET', PATH)).body.spec.versions[0].schema.openAPIV3Schema.properties.spec;
  expect(Object.keys(stored.properties).sort()).toEqual(
    Object.keys(wanted.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties).sort(),
  );
  expect((await rawApi(config, 'GET', PATH.replace('rollouts', 'metrics'))).status).toBe(200); // was missing
});
