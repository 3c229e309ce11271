import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../../../../hack/bench/rollback/free-ports.ts';
import { waitFor } from '../../../../hack/cluster/wait.ts';
import { kubeConfig } from '../../../support/api-server.ts';
import { accountWith } from '../../../support/api-service.ts';
import { ControlPlane } from '../../../support/control-plane.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { render } from '../../../support/helm.ts';
import { installCrds } from '../../../support/install-crds.ts';
import type { Manifest } from '../../../support/manifests.ts';
import { rawApi } from '../../../support/raw-api.ts';
import { serveGatewayApi } from '../../../support/serve-gateway-api.ts';

const signal = AbortSignal.timeout(280_000);
const HOME = 'sluice-system';
const RIGHTS = /^(ServiceAccount|(Cluster)?Role(Binding)?)$/;

/** Of one kind or another, made at its collection. */
function collectionOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${root}${metadata.namespace ? `/namespaces/${metadata.namespace}` : ''}/${kind.toLowerCase()}s`;
}

test('an operator with the rights that the chart gives it serves the API, over TLS, and may do nothing there itself', async () => {
  // An API server of its own: an operator looks after all namespaces.
  const plane = await ControlPlane.start(signal);
  onTestFinished(() => plane.stop());
  const config = kubeConfig(plane.kubeconfigPath);
  const post = async (path: string, body: Manifest): Promise<Manifest> => {
    const answer = await rawApi(config, 'POST', path, { body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.body.message}`);
    return answer.body;
  };
  for (const name of [HOME, 'shop']) await post('/api/v1/namespaces', { metadata: { name } });
  await Promise.all([installCrds(signal, config), serveGatewayApi(config, signal)]);
  const objects = await render('api: { enabled: true }', signal);
  const hooks = ({ metadata }: Manifest) => metadata.annotations?.['helm.sh/hook'] !== undefined;
  for (const one of objects.filter((one) => RIGHTS.test(one.kind) && !hooks(one))) await post(collectionOf(one), one);
  const tokenPath = `/api/v1/namespaces/${HOME}/serviceaccounts/sluice-operator/token`;
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { token } = (await post(tokenPath, review)).status;

  const folder = mkdtempSync(join(tmpdir(), 'sluice-operator-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const own = new KubeConfig();
  own.loadFromClusterAndUser(config.getCurrentCluster()!, { name: 'operator', token });
  writeFileSync(join(folder, 'kubeconfig'), own.exportConfig());
  const file = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'sluice-config');
  writeFileSync(join(folder, 'config.yaml'), file?.data['config.yaml']);
  const [api, health, ...rest] = await freePorts(5);
  const [webhook, metrics, rulesets] = rest;
  const ports = {
    API_PORT: api,
    HEALTH_PORT: health,
    WEBHOOK_PORT: webhook,
    METRICS_PORT: metrics,
    RULESETS_PORT: rulesets,
  };
  const child = spawn(process.execPath, ['src/operator.ts', 'run', '--config', join(folder, 'config.yaml')], {
    env: {
      ...process.env,
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `${port}`])),
      KUBECONFIG: join(folder, 'kubeconfig'),
      POD_NAMESPACE: HOME,
      POD_NAME: 'sluice-operator-1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  const isReady = () =>
    fetch(`http://127.0.0.1:${health}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitFor(isReady, { what: 'the operator', timeoutMs: 90_000, everyMs: 100, signal }).catch((error) => {
    throw new Error(`${error}\n${log}`);
  });

  const certificates = `/api/v1/namespaces/${HOME}/secrets/sluice-webhook-certificates`;
  const ca = Buffer.from((await rawApi(config, 'GET', certificates)).body.data['ca.crt'], 'base64').toString();
  const dispatcher = new Agent({ connect: { ca, servername: `sluice-api.${HOME}.svc` } });
  onTestFinished(() => dispatcher.destroy());
  const ask = async (method: 'GET' | 'POST', bearer: string, body?: object) => {
    const headers = { authorization: `Bearer ${bearer}`, ...(body && { 'content-type': 'application/json' }) };
    const url = `https://127.0.0.1:${api}/api/v1/namespaces/shop/flags`;
    const response = await request(url, { method, dispatcher, headers, body: body ? JSON.stringify(body) : null });
    return { status: response.statusCode, body: (await response.body.json()) as Manifest };
  };
  const editor = await accountWith('shop', 'editor', ['list', 'create'], config);
  const { type, variants, offVariant, defaultVariant } = flagObject('any').spec as Manifest;
  const flag = { name: 'checkout', spec: { type, variants, offVariant, defaultVariant } };
  expect((await ask('POST', token, flag)).body).toMatchObject({ code: 'SLUICE_KUBE_DENIED' });
  expect((await ask('POST', editor, flag)).status).toBe(201);
  const isAccepted = async () => (await ask('GET', editor)).body.items[0].status.revision === 1;
  await waitFor(isAccepted, { what: 'the operator’s word on the flag', timeoutMs: 30_000, everyMs: 100, signal });
  const figures = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  expect(figures).toContain('sluice_api_requests_total{operation="createFlag",status="201"} 1');
  expect(figures).toContain('sluice_api_requests_total{operation="createFlag",status="403"} 1');

  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  for (const secret of [token, editor]) expect(log).not.toContain(secret.split('.')[2]);
  expect(log).toContain('"operation":"createFlag"');
}, 300_000);
