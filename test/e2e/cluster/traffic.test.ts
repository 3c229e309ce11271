import { CoreV1Api } from '@kubernetes/client-node';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { askAs } from '../../../hack/load/ask-as.ts';
import { clusterConfig, gatewayUrl, kubectl, prometheusUrl, temporaryNamespace } from '../../support/cluster.ts';
import { startProbe } from './probe.ts';

test('the node is ready, and a pod finds a Service by its name', async ({ signal }) => {
  const { items } = await clusterConfig().makeApiClient(CoreV1Api).listNode();
  const ready = items.map((node) => node.status?.conditions?.find(({ type }) => type === 'Ready')?.status);
  expect(ready).toEqual(['True']);

  const namespace = await temporaryNamespace('dns');
  const url = await startProbe(namespace, 'finder', signal);
  const found = await fetch(`${url}/lookup?name=finder.${namespace}.svc.cluster.local`, { signal });
  expect(`http://${await found.text()}:80`).toBe(url);
});

test('a weighted HTTPRoute splits traffic through Envoy', async ({ signal }) => {
  const namespace = await temporaryNamespace('split');
  await Promise.all([startProbe(namespace, 'stable', signal), startProbe(namespace, 'canary', signal)]);
  const host = `${namespace}.example`;
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'split', namespace },
    spec: {
      parentRefs: [{ name: 'sluice-demo', namespace: 'gateways' }],
      hostnames: [host],
      rules: [
        {
          backendRefs: [
            { name: 'stable', port: 80, weight: 80 },
            { name: 'canary', port: 80, weight: 20 },
          ],
        },
      ],
    },
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(route));
  // Before its pods go: docs/decisions/0220-a-gateway-that-takes-nothing-new.md.
  onTestFinished(() => kubectl(['-n', namespace, 'delete', 'httproute', 'split']).then(() => {}));
  const gateway = await gatewayUrl();
  const ask = () => askAs(host, gateway, signal);
  const answered = async () => (await ask()).status === 200;
  await waitFor(answered, { what: 'the route being in effect', timeoutMs: 30_000, signal });

  const answers: string[] = [];
  for (let i = 0; i < 600; i++) {
    const { status, body } = await ask();
    answers.push(status === 200 ? body : String(status));
  }
  const canary = answers.filter((answer) => answer === 'canary').length;
  expect(canary + answers.filter((answer) => answer === 'stable').length).toBe(600);
  // 120 expected; 5 standard deviations of 600 draws at 20 % are 49.
  expect(Math.abs(canary - 120)).toBeLessThan(50);
});

test("Prometheus sees a pod's metric with the labels that tell its revision", async ({ signal }) => {
  const namespace = await temporaryNamespace('metric');
  const url = await startProbe(namespace, 'counted', signal);
  for (let i = 0; i < 5; i++) await fetch(url, { signal });
  const [pod] = (await clusterConfig().makeApiClient(CoreV1Api).listNamespacedPod({ namespace })).items;
  const query = encodeURIComponent(`probe_requests_total{namespace="${namespace}"} >= 5`);
  const prometheus = await prometheusUrl();
  const seen = async () => {
    const response = await fetch(`${prometheus}/api/v1/query?query=${query}`, { signal });
    const { data } = (await response.json()) as { data: { result: { metric: Record<string, string> }[] } };
    return data.result.length > 0 && data.result;
  };
  const series = await waitFor(seen, { what: 'Prometheus having scraped the pod', timeoutMs: 30_000, signal });
  expect(series.map(({ metric }) => metric)).toMatchObject([
    {
      namespace,
      pod: pod?.metadata?.name,
      app: 'counted',
      pod_template_hash: pod?.metadata?.labels?.['pod-template-hash'],
    },
  ]);
});

test('metrics-server measures pods', async ({ signal }) => {
  const measured = async () => {
    const rows = await kubectl(['-n', 'kube-system', 'top', 'pods', '--no-headers']);
    return rows.includes('coredns');
  };
  await waitFor(measured, { what: 'a measurement of coredns', timeoutMs: 60_000, signal });
});
