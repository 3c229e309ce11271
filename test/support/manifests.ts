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

/** A FeatureFlag that uses every part of its schema. */
export const fullFlag = (): Manifest => ({
  apiVersion: 'sluice.dev/v1alpha1',
  kind: 'FeatureFlag',
  metadata: { name: 'one-page-checkout' },
  spec: {
    key: 'one-page-checkout',
    purpose: 'Release',
    owner: 'team-checkout',
    expiresAfter: '2027-03-01',
    type: 'boolean',
    variants: { on: true, off: false },
    offVariant: 'off',
    defaultVariant: 'off',
    clientSide: true,
    salt: 'checkout-2026',
    overrides: [{ units: ['qa-1', 'qa-2'], variant: 'on' }],
    prerequisites: [{ flag: 'payments-v2', variants: ['on'] }],
    segments: { staff: { any: [{ attr: 'email', op: 'endsWith', value: '@shop.example', ignoreCase: true }] } },
    rules: [
      { id: 'staff', when: { all: [{ segment: 'staff' }] }, serve: { variant: 'on' } },
      {
        id: 'ramp',
        when: { all: [{ attr: 'country', op: 'in', value: ['DE', 'AT'] }, { not: { attr: 'beta', op: 'exists' } }] },
        admissions: [{ percent: 50 }, { ranges: [{ from: 0, to: 5000 }], unit: 'accountId', salt: 'accounts' }],
        serve: {
          split: [
            { variant: 'on', weight: 10 },
            { variant: 'off', weight: 90 },
          ],
          unit: 'targetingKey',
          hash: 'murmur3-32/1',
        },
      },
      { id: 'launch', when: { all: [{ time: { after: '2026-12-01T08:00:00Z' } }] }, serve: { variant: 'on' } },
    ],
  },
});
