import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { bundle } from '../../../hack/build.ts';
import { ensureBinary } from '../../../hack/cluster/binaries.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { installCrds } from '../../support/install-crds.ts';
import { SCALARS_AS_KUBECTL } from '../../support/kubectl-scalars.ts';
import { fullRollout } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';
import { holdingStatus } from '../../support/rollout-status.ts';

// The bundle as a user has it: found by the real kubectl under the name kubectl-sluice.
const signal = AbortSignal.timeout(900_000);
const bin = mkdtempSync(join(tmpdir(), 'sluice-plugin-'));
let namespace: string;
let kubectlDir: string;

function kubectl(...args: string[]) {
  const path = [bin, kubectlDir, process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, KUBECONFIG: inject('kubeconfig') };
  const { status, stdout, stderr } = spawnSync('kubectl', args, { env, encoding: 'utf8', timeout: 30_000 });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  kubectlDir = await ensureBinary('k1s', signal);
  symlinkSync(await bundle('plugin'), join(bin, 'kubectl-sluice'));
  await installCrds(signal);
  namespace = await makeNamespace('plugin');
  const path = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/rollouts/catalog`;
  await apply(kubeConfig(), path, fullRollout());
  await apply(kubeConfig(), `/apis/apps/v1/namespaces/${namespace}/deployments/catalog`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'catalog' },
    spec: {
      selector: { matchLabels: { app: 'catalog' } },
      template: {
        metadata: { labels: { app: 'catalog' } },
        spec: { containers: [{ name: 'app', image: 'catalog:v2' }] },
      },
    },
  });
  const body = { status: holdingStatus() };
  await rawApi(kubeConfig(), 'PATCH', `${path}/status`, { body, contentType: 'application/merge-patch+json' });
}, 900_000);

afterAll(() => rmSync(bin, { recursive: true }));

test('kubectl finds the plugin, which reads the same kubeconfig and uses no colour in a pipe', () => {
  expect(kubectl('sluice', 'get', '-n', namespace)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^NAME +PHASE .*\ncatalog +Progressing +3\/5 +25% +Safe +Holding +\d+s\n$/),
    stderr: '',
  });
});

test('its exit status reaches the pipeline', () => {
  expect(kubectl('sluice', 'status', 'catalog', '-n', namespace).status).toBe(3);
  expect(kubectl('sluice', 'status', 'catalog', '-n', namespace, '--watch', '--timeout', '1s').status).toBe(2);
  const failed = kubectl('sluice', 'status', 'nobody', '-n', namespace);
  expect(failed).toMatchObject({ status: 5, stdout: '', stderr: expect.stringContaining('SLUICE_CLI_NO_ROLLOUT') });
});

test('manifests are read as kubectl reads them', () => {
  const list = SCALARS_AS_KUBECTL.map(([text]) => `  - ${text}`).join('\n');
  const manifest = `apiVersion: sluice.dev/v1alpha1\nkind: FeatureFlag\nmetadata: { name: x }\nspec:\n  list:\n${list}\n`;
  const file = join(bin, 'scalars.yaml');
  writeFileSync(file, manifest);
  const { stdout, stderr } = kubectl('create', '--dry-run=client', '--validate=false', '-o', 'json', '-f', file);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout).spec.list).toEqual(SCALARS_AS_KUBECTL.map(([, value]) => value));
});

test('lint reads files and standard input', () => {
  expect(kubectl('sluice', 'lint', '-f', 'examples/rollouts/minimal.yaml').status).toBe(0);
  expect(kubectl('sluice', 'lint', '-f', '/nowhere.yaml')).toMatchObject({
    status: 5,
    stderr: expect.stringContaining('SLUICE_CLI_FILE'),
  });
});

test('kubectl itself shows a Rollout with the same columns', () => {
  expect(kubectl('get', 'slr', '-n', namespace).stdout).toMatch(
    /^NAME +PHASE +STEP +WEIGHT +VERDICT +REASON +AGE\ncatalog +Progressing +3\/5 +25% +Safe +Holding +\d+s\n$/,
  );
});
