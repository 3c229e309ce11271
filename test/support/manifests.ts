import { readdirSync, readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';

/** A Kubernetes object as it stands in a file. Loosely typed on purpose: tests make wrong ones from it. */
// biome-ignore lint/suspicious/noExplicitAny: tests change any field of it to anything
export type Manifest = any;

/** File name → manifest, for each YAML file of a folder that holds one object a file. */
export function manifestsIn(folder: string): [string, Manifest][] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.map((name) => [`${folder}/${name}`, parseYaml(readFileSync(`${folder}/${name}`, 'utf8'))]);
}

/** A Rollout that uses every part of its schema. */
export const fullRollout = (): Manifest => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'Rollout',
  metadata: { name: 'catalog' },
  spec: {
    workload: { name: 'catalog' },
    traffic: { service: 'catalog', router: { gatewayAPI: { httpRoutes: [{ name: 'catalog' }] } } },
    steps: [
      { shadow: { percent: 10, methods: ['GET', 'HEAD'] }, hold: '2m' },
      { match: { headers: [{ name: 'x-team', value: 'shop' }] }, hold: '2m' },
      { weight: 5, hold: '2m' },
      { approve: {} },
      { weight: 100, hold: '10m' },
    ],
    guardrails: [
      { name: 'errors', metric: 'http-error-ratio', max: 0.01, failures: { count: 2, within: 3 } },
      { name: 'latency', query: { query: 'vector(1)', timeout: '5s' }, min: 0, max: 0.3 },
    ],
  },
});

/** A Metric that uses every part of its schema. */
export const fullMetric = (): Manifest => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'Metric',
  metadata: { name: 'http-error-ratio' },
  spec: {
    provider: {
      prometheus: {
        address: 'https://prometheus.monitoring:9090',
        query: 'vector(1)',
        auth: { bearerToken: { name: 'token', key: 'token' } },
        tls: { cert: { name: 'tls', key: 'tls.crt' }, key: { name: 'tls', key: 'tls.key' } },
      },
    },
    defaultBounds: { min: 0, max: 0.01, maxIncreaseOverStable: { relative: 0.1 } },
  },
});
