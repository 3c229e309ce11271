import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { kubeConfig } from '../../support/api-server.ts';
import { render } from '../../support/helm.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';

// Which queue a call waits in is the API server's to say: it names schema and level in the headers of every answer.
const signal = AbortSignal.timeout(600_000);
const config = kubeConfig();
const FLOW_CONTROL = '/apis/flowcontrol.apiserver.k8s.io/v1';
const OPERATOR = 'system:serviceaccount:sluice-system:sluice-operator';
const routes = '/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes';
const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/sluice-operator`;
let schemas: Manifest[];

beforeAll(async () => {
  schemas = (await render('', signal)).filter(({ kind }) => kind === 'FlowSchema');
  for (const schema of schemas) {
    const { status, body } = await apply(config, `${FLOW_CONTROL}/flowschemas/${schema.metadata.name}`, schema);
    if (status >= 300) throw new Error(body.message);
  }
  const inForce = async () => (await queueOf('PATCH', `${routes}/shop`)).schema === 'sluice-writes';
  await waitFor(inForce, { what: 'the FlowSchemas being in force', timeoutMs: 30_000, everyMs: 200, signal });
});

afterAll(async () => {
  for (const { metadata } of schemas) await rawApi(config, 'DELETE', `${FLOW_CONTROL}/flowschemas/${metadata.name}`);
});

/** Where a call is queued; who calls need not be allowed to, and what is called need not exist. */
async function queueOf(method: string, path: string, user = OPERATOR): Promise<{ schema: string; level: string }> {
  const groups = user.startsWith('system:serviceaccount:') ? { 'impersonate-group': 'system:serviceaccounts' } : {};
  const headers = { 'impersonate-user': user, ...groups };
  const answer = await rawApi(config, method, path, { headers, ...(method === 'GET' ? {} : { body: {} }) });
  return {
    schema: await nameOf('flowschemas', answer.headers['x-kubernetes-pf-flowschema-uid']),
    level: await nameOf('prioritylevelconfigurations', answer.headers['x-kubernetes-pf-prioritylevel-uid']),
  };
}

async function nameOf(plural: string, uid: unknown): Promise<string> {
  const { body } = await rawApi(config, 'GET', `${FLOW_CONTROL}/${plural}`);
  return body.items.find(({ metadata }: Manifest) => metadata.uid === uid)?.metadata.name;
}

test.each([
  ['taking traffic from a canary', 'PATCH', `${routes}/shop`, 'sluice-writes', 'workload-high'],
  ['who an evaluator is', 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', 'sluice-reviews', 'workload-low'],
  ['a fresh read before it', 'GET', `${routes}/shop`, 'sluice-writes', 'workload-high'],
  ['a list at its start', 'GET', routes, 'sluice-reads', 'workload-high'],
  ['renewing its Lease', 'PUT', leases('sluice-system'), 'sluice-leader-election', 'leader-election'],
  ['a Lease of another namespace', 'PUT', leases('shop'), 'sluice-writes', 'workload-high'],
])('the operator, %s: its own flow at a level that others cannot fill', async (_, method, path, schema, level) => {
  expect(await queueOf(method, path)).toEqual({ schema, level });
});

test('nobody else is let in', async () => {
  const other = await queueOf('PATCH', `${routes}/shop`, 'system:serviceaccount:shop:sluice-operator');
  expect(other).toEqual({ schema: 'service-accounts', level: 'workload-low' });
});
