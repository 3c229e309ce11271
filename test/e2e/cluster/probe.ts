import { waitFor } from '../../../hack/cluster/wait.ts';
import { buildNodeImage } from '../../../hack/image/node-image.ts';
import { kubectl, loadImage, serviceUrl } from '../../support/cluster.ts';

/** Runs the probe server as Deployment and Service `name`, and answers its address when it is ready. */
export async function startProbe(namespace: string, name: string, signal: AbortSignal): Promise<string> {
  const image = await buildNodeImage({ name: 'probe', programs: { probe: 'test/e2e/cluster/probe-app.ts' } }, signal);
  await loadImage(image, signal);
  const labels = { app: name };
  const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' };
  const container = {
    name: 'probe',
    image: image.reference,
    ports: [{ name: 'http', containerPort: 8080 }],
    env: [{ name: 'VERSION', value: name }],
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 },
  };
  const pod = { terminationGracePeriodSeconds: 1, containers: [container] };
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec: pod } };
  const metadata = { name, namespace, labels };
  const service = { selector: labels, ports: [{ port: 80, targetPort: 'http' }] };
  const items = [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: service },
  ];
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl(['-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=60s']);
  const url = await serviceUrl(namespace, `app=${name}`, 80);
  // Ready is what kubelet says; kube-proxy hears of it a moment later.
  const answers = async () => (await fetch(url, { signal })).ok;
  await waitFor(answers, { what: `${name} answering at its Service`, timeoutMs: 20_000, signal });
  return url;
}
