import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { rootSchema } from '../../../src/api/crd.ts';
import {
  encodeFeatureFlagStatus,
  encodeMetricStatus,
  encodeRolloutStatus,
  parseFeatureFlag,
  parseMetric,
  parseRollout,
  parseRolloutStatus,
} from '../../../src/api/parse.ts';
import { featureFlagResource, metricResource, type Resource, rolloutResource } from '../../../src/api/resource.ts';
import type { StructuralSchema } from '../../../src/api/structural-schema.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { installCrds } from '../../support/install-crds.ts';
import { fullFlag, fullMetric, fullRollout, type Manifest, manifestsIn } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';
import { wrongBeyondTheSchema, wrongSpecs } from '../../support/wrong-specs.ts';

const SERVED_TIMEOUT_MS = 60_000;
const STRICT_DRY_RUN = 'fieldValidation=Strict&dryRun=All';
const NOW = Date.parse('2026-01-02T03:04:05.678Z') as EpochMs;

let crds: Manifest[];
let namespace: string;

const api = (method: string, path: string, options = {}) => rawApi(kubeConfig(), method, path, options);
const resources: Resource[] = [rolloutResource, metricResource, featureFlagResource];
const pluralOf = (manifest: Manifest) => resources.find(({ kind }) => kind === manifest.kind)!.plural;
const listPath = (manifest: Manifest) => `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/${pluralOf(manifest)}`;
const pathOf = (manifest: Manifest) => `${listPath(manifest)}/${manifest.metadata.name}`;
const rollout = (name: string): Manifest => ({ ...fullRollout(), metadata: { name } });

beforeAll(async () => {
  crds = await installCrds(AbortSignal.timeout(SERVED_TIMEOUT_MS));
  namespace = await makeNamespace('crds');
});

test('all definitions are established, with nothing to say against their schemas', () => {
  const conditions = crds.map(({ status }) =>
    Object.fromEntries(status.conditions.map(({ type, status }: Manifest) => [type, status])),
  );
  // NonStructuralSchema and KubernetesAPIApprovalPolicyConformant appear only where something is wrong.
  expect(conditions).toEqual(resources.map(() => ({ NamesAccepted: 'True', Established: 'True' })));
});

test('discovery knows short names, category and status', async () => {
  const { body } = await api('GET', '/apis/sluice.dev/v1alpha1');
  const names = body.resources.map(({ name, shortNames, categories }: Manifest) => [name, shortNames, categories]);
  expect(names).toEqual(
    expect.arrayContaining([
      ['rollouts', ['slr'], ['sluice']],
      ['metrics', ['slm'], ['sluice']],
      ['featureflags', ['slf'], ['sluice']],
      ['featureflags/status', undefined, undefined],
      ['rollouts/status', undefined, undefined],
      ['metrics/status', undefined, undefined],
    ]),
  );
});

test.each(['rollouts', 'metrics', 'flags'].flatMap((folder) => manifestsIn(`examples/${folder}`)))(
  '%s applies and comes back with the defaults that we would fill in',
  async (_, manifest) => {
    const { status, body } = await apply(kubeConfig(), pathOf(manifest), manifest);
    expect([status, body.message]).toEqual([expect.toSatisfy((code) => code === 200 || code === 201), undefined]);
    expect(specOf(body)).toEqual(specOf(manifest));
    expect(sortedKeys(body.spec)).toEqual(sortedKeys(specOf(manifest)));
    await api('DELETE', pathOf(manifest));
  },
);

test.each(wrongSpecs.map((wrong) => [wrong.name, wrong] as const))('refuses a %s, at its field', async (_, wrong) => {
  const { status, body } = await api('POST', `${listPath(wrong.object)}?${STRICT_DRY_RUN}`, { body: wrong.object });
  expect([400, 422]).toContain(status);
  // The API server writes entries of a map as `segments[staff]`.
  expect(body.message.replace(/\[([a-z]\w*)\]/g, '.$1')).toMatch(
    new RegExp(`(^|[ "[])${wrong.path.replace(/[[\].]/g, '\\$&')}(:|")`),
  );
});

test('the objects that the wrong ones are made from are accepted', async () => {
  for (const object of [fullRollout(), fullMetric(), fullFlag()]) {
    const { status, body } = await api('POST', `${listPath(object)}?${STRICT_DRY_RUN}`, { body: object });
    expect(status, body.message).toBe(201);
  }
});

test('what only the operator refuses gets past the API server, so that an operator that is away blocks nobody', async () => {
  const accepted = await Promise.all(
    wrongBeyondTheSchema.map(async ({ name, object }) => {
      const { status } = await api('POST', `${listPath(object)}?${STRICT_DRY_RUN}`, { body: object });
      return [name, status];
    }),
  );
  expect(accepted).toEqual(wrongBeyondTheSchema.map(({ name }) => [name, 201]));
});

test('the key of a FeatureFlag cannot change, said or not', async () => {
  const object = { ...fullFlag(), metadata: { name: 'immutable' } };
  await apply(kubeConfig(), pathOf(object), object);
  object.spec.key = 'another';
  const refused = await apply(kubeConfig(), pathOf(object), object);
  expect(refused.status).toBe(422);
  expect(refused.body.message).toContain('spec.key: Invalid value');
  delete object.spec.key;
  expect((await apply(kubeConfig(), pathOf(object), object)).status).toBe(422);
  const unsaid = { ...object, metadata: { name: 'unsaid' } };
  await apply(kubeConfig(), pathOf(unsaid), unsaid);
  unsaid.spec.key = 'unsaid';
  expect(await apply(kubeConfig(), pathOf(unsaid), unsaid)).toMatchObject({ status: 200 });
});

test.each([0.07, 0.29, 1.1, 33.33, 57.01, 99.99, 100])('a weight of %d has at most two decimals', async (weight) => {
  const object = fullRollout();
  object.spec.steps = [{ weight }];
  const { status, body } = await api('POST', `${listPath(object)}?${STRICT_DRY_RUN}`, { body: object });
  expect(status, body.message).toBe(201);
  expect(parseRollout(object)).toMatchObject({ ok: true });
});

test('the workload of a Rollout cannot change, everything else can', async () => {
  const object = rollout('immutable');
  await apply(kubeConfig(), pathOf(object), object);
  object.spec.workload.name = 'another';
  const refused = await apply(kubeConfig(), pathOf(object), object);
  expect(refused.status).toBe(422);
  expect(refused.body.message).toContain('spec.workload.name: Invalid value');
  expect(refused.body.message).toContain('cannot change');
  object.spec.workload.name = 'catalog';
  object.spec.traffic.service = 'another';
  object.spec.steps = [{ weight: 100 }];
  expect(await apply(kubeConfig(), pathOf(object), object)).toMatchObject({
    status: 200,
    body: { metadata: { generation: 2 } },
  });
});

test('two managers each keep their own guardrails', async () => {
  const object = rollout('two-managers');
  await apply(kubeConfig(), pathOf(object), object);
  const addition = { ...object, spec: { guardrails: [{ name: 'third', metric: 'm' }] } };
  const { status, body } = await api('PATCH', `${pathOf(object)}?fieldManager=other`, {
    body: addition,
    contentType: 'application/apply-patch+yaml',
  });
  expect(status, body.message).toBe(200);
  expect(body.spec.guardrails.map(({ name }: Manifest) => name)).toEqual(['errors', 'latency', 'third']);
});

test('a status is written through its subresource only, and comes back as it was', async () => {
  const object = rollout('status');
  await apply(kubeConfig(), pathOf(object), { ...object, status: { phase: 'Healthy' } });
  expect((await api('GET', pathOf(object))).body.status).toBeUndefined();
  const status = fullStatus();
  const answer = await writeStatus(object, encodeRolloutStatus(status));
  expect(answer.status, answer.body.message).toBe(200);
  expect(answer.body.metadata.generation).toBe(1);
  expect(parseRolloutStatus(answer.body.status)).toEqual({ ok: true, status });
});

test('kubectl get shows the columns of a Rollout', async () => {
  const object = rollout('columns');
  await apply(kubeConfig(), pathOf(object), object);
  await writeStatus(object, encodeRolloutStatus(fullStatus()));
  const { columns, cells } = await tableOf(object);
  expect(columns.slice(0, 7)).toEqual(['Name', 'Phase', 'Step', 'Weight', 'Verdict', 'Reason', 'Age']);
  expect(cells.slice(0, 6)).toEqual(['columns', 'Progressing', '2/5', '5', 'Safe', 'Holding']);
});

test('kubectl get shows the columns of a Metric', async () => {
  const object = { ...fullMetric(), metadata: { name: 'columns' } };
  object.spec.unit = 'ratio';
  await apply(kubeConfig(), pathOf(object), object);
  const condition = {
    type: 'Accepted',
    status: 'True' as const,
    lastTransitionTime: NOW,
    reason: 'Rendered',
    message: '',
  };
  await writeStatus(object, encodeMetricStatus({ conditions: [condition] }));
  const { columns, cells } = await tableOf(object);
  expect(columns.slice(0, 5)).toEqual(['Name', 'Unit', 'Direction', 'Accepted', 'Age']);
  expect(cells.slice(0, 4)).toEqual(['columns', 'ratio', 'LowerIsBetter', 'True']);
});

test('kubectl get shows the columns of a FeatureFlag', async () => {
  const object = { ...fullFlag(), metadata: { name: 'columns' } };
  delete object.spec.key;
  await apply(kubeConfig(), pathOf(object), object);
  const condition = {
    type: 'Accepted',
    status: 'True' as const,
    lastTransitionTime: NOW,
    reason: 'Compiled',
    message: '',
  };
  const answer = await writeStatus(object, encodeFeatureFlagStatus({ conditions: [condition], history: [] }));
  expect(answer.status, answer.body.message).toBe(200);
  const { columns, cells } = await tableOf(object);
  expect(columns.slice(0, 7)).toEqual(['Name', 'Type', 'Enabled', 'Killed', 'Accepted', 'Reason', 'Age']);
  expect(cells.slice(0, 6)).toEqual(['columns', 'boolean', true, false, 'True', 'Compiled']);
});

test.each<[string, Resource]>([
  ['Rollout', rolloutResource],
  ['Metric', metricResource],
  ['FeatureFlag', featureFlagResource],
])('kubectl explain finds every description of a %s', async (kind, resource) => {
  const { body } = await api('GET', '/openapi/v3/apis/sluice.dev/v1alpha1');
  const served = body.components.schemas[`dev.sluice.v1alpha1.${kind}`];
  const { apiVersion: _, kind: __, ...properties } = rootSchema(resource).properties ?? {};
  const texts = Object.values(properties).flatMap(descriptionsOf);
  expect(texts.length).toBeGreaterThan(20);
  expect(descriptionsOf(served)).toEqual(expect.arrayContaining(texts));
});

function fullStatus() {
  const parsed = parseRolloutStatus({
    observedGeneration: 1,
    phase: 'Progressing',
    step: '2/5',
    weight: '5',
    verdict: 'Safe',
    reason: 'Holding',
    nextAt: '2026-01-02T03:05:05.678Z',
    inFlight: {
      hash: '5d4f8c7b9',
      stableHash: '7c6d5e4f3',
      epoch: 3,
      generation: 7,
      startedAt: '2026-01-02T03:00:00Z',
      steps: fullRollout().spec.steps,
      step: 2,
      stage: 'Holding',
      stageSince: '2026-01-02T03:04:05.678Z',
      weightBp: 500,
      hold: { doneMs: 12_000, at: '2026-01-02T03:04:05.678Z' },
    },
    guardrails: [
      { name: 'errors', verdict: 'Safe', reason: 'InBounds', value: 0.001, outOfBounds: [false, true, false] },
    ],
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-02T03:00:00Z',
        reason: 'Valid',
        message: 'The spec can be carried out.',
      },
    ],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.status;
}

/** Spec after parsing, back in canonical text. */
function specOf(manifest: Manifest): Manifest {
  const parse = { Rollout: parseRollout, Metric: parseMetric, FeatureFlag: parseFeatureFlag }[
    manifest.kind as 'Rollout'
  ];
  const parsed: Manifest = parse(manifest);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  if ('flag' in parsed) return z.encode(featureFlagResource.object.shape.spec, parsed.flag.spec);
  return 'rollout' in parsed ? parsed.rollout.spec : parsed.metric.spec;
}

/** The names of all fields that are set, so that a default that only one side knows shows up. */
function sortedKeys(value: Manifest, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .flatMap(([name, field]) => [`${path}.${name}`, ...sortedKeys(field, `${path}.${name}`)])
    .sort();
}

function writeStatus(object: Manifest, status: Manifest) {
  return api('PATCH', `${pathOf(object)}/status?fieldValidation=Strict`, {
    body: { status },
    contentType: 'application/merge-patch+json',
  });
}

async function tableOf(object: Manifest): Promise<{ columns: string[]; cells: unknown[] }> {
  const { body } = await api('GET', pathOf(object), { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  return { columns: body.columnDefinitions.map(({ name }: Manifest) => name), cells: body.rows[0].cells };
}

function descriptionsOf({ description, properties = {}, items, additionalProperties }: StructuralSchema): string[] {
  const own = description === undefined ? [] : [description];
  const inner = [...Object.values(properties), ...[items, additionalProperties].filter((one) => one !== undefined)];
  return [...own, ...inner.flatMap(descriptionsOf)];
}
