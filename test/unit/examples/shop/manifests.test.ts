import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readSettings } from '../../../../examples/shop/settings.ts';
import { metricSpecSchema } from '../../../../src/api/metric.ts';
import { GATE_ENABLED, GATE_LABEL, GROUP, VERSION } from '../../../../src/api/names.ts';
import { rolloutSpecSchema } from '../../../../src/api/rollout.ts';

const folder = new URL('../../../../examples/shop/manifests/', import.meta.url);
const objects = readdirSync(folder)
  .flatMap((file) => parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')))
  .map((document) => document.toJS());
const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
const only = (kind: string) => {
  const [object, ...others] = ofKind(kind);
  expect(others).toEqual([]);
  return object;
};

describe('the manifests of the shop', () => {
  it('hold a rollout that the API accepts, of this Deployment, Service and route, with the metrics that stand beside it', () => {
    const { apiVersion, spec } = only('Rollout');
    const rollout = rolloutSpecSchema.parse(spec);
    expect(apiVersion).toBe(`${GROUP}/${VERSION}`);
    expect(rollout.workload.name).toBe(only('Deployment').metadata.name);
    expect(rollout.traffic.service).toBe(only('Service').metadata.name);
    expect(rollout.traffic.router.gatewayAPI.httpRoutes).toEqual([{ name: only('HTTPRoute').metadata.name }]);
    const metrics = ofKind('Metric').map(({ metadata }) => metadata.name);
    expect(rollout.guardrails.map(({ metric }) => metric).sort()).toEqual(metrics.sort());
  });

  it('hold metrics that the API accepts and that ask about the canary alone', () => {
    for (const { spec } of ofKind('Metric')) {
      const { query, requestsQuery } = metricSpecSchema.parse(spec).provider.prometheus;
      for (const text of [query, requestsQuery ?? '']) {
        const selectors = text.match(/http_request\w+\{/g) ?? [];
        expect(selectors).not.toEqual([]);
        expect(text.split('{namespace="{{namespace}}",pod_template_hash="{{canaryHash}}"')).toHaveLength(
          selectors.length + 1,
        );
      }
    }
  });

  it('give the Deployment the gate, and an environment that the shop understands', () => {
    const { metadata, spec } = only('Deployment');
    expect(metadata.labels[GATE_LABEL]).toBe(GATE_ENABLED);
    const [container] = spec.template.spec.containers;
    const env = container.env.map(({ name, value }: { name: string; value?: string }) => [name, value ?? 'pod']);
    const settings = readSettings(Object.fromEntries(env));
    expect(container.ports).toEqual([{ name: 'http', containerPort: settings.port }]);
    expect(spec.template.metadata.annotations['prometheus.io/port']).toBe(String(settings.port));
    expect(settings.drainMs).toBeLessThan(spec.template.spec.terminationGracePeriodSeconds * 1000 - 10_000);
  });
});
