import type { KubeConfig } from '@kubernetes/client-node';
import { waitFor } from '../../hack/cluster/wait.ts';
import { apply, rawApi } from './raw-api.ts';

const GROUP = 'gateway.networking.k8s.io';
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const kinds = [
  { kind: 'HTTPRoute', plural: 'httproutes', scope: 'Namespaced' },
  { kind: 'Gateway', plural: 'gateways', scope: 'Namespaced' },
  { kind: 'GatewayClass', plural: 'gatewayclasses', scope: 'Cluster' },
];

/** Makes the API server serve the Gateway API with objects of any shape, as far as tests without a gateway need it. */
export async function serveGatewayApi(config: KubeConfig, signal: AbortSignal): Promise<void> {
  await Promise.all(kinds.map((one) => serve(config, one, signal)));
}

async function serve(
  config: KubeConfig,
  { kind, plural, scope }: (typeof kinds)[number],
  signal: AbortSignal,
): Promise<void> {
  const name = `${plural}.${GROUP}`;
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  const schema = { openAPIV3Schema: { ...anything, properties: { spec: anything, status: anything } } };
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name, annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
    spec: {
      group: GROUP,
      scope,
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
  const answer = await apply(config, path, crd);
  if (answer.status >= 300) throw new Error(answer.body.message);
  const served = async () => (await rawApi(config, 'GET', `/apis/${GROUP}/v1/${plural}`)).status === 200;
  await waitFor(served, { what: `${plural} being served`, timeoutMs: 30_000, signal });
}
