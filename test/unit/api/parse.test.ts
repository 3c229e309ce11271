import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { rootSchema } from '../../../src/api/crd.ts';
import {
  encodeFeatureFlagStatus,
  encodeMetricStatus,
  encodeRolloutStatus,
  parseFeatureFlag,
  parseFeatureFlagStatus,
  parseMetric,
  parseMetricStatus,
  parseRollout,
  parseRolloutStatus,
} from '../../../src/api/parse.ts';
import { featureFlagResource, metricResource, rolloutResource } from '../../../src/api/resource.ts';
import { arbitraryOf, arbitrarySpecOf } from '../../support/arbitrary-from-schema.ts';
import { fullFlag, fullMetric, fullRollout, type Manifest, manifestsIn } from '../../support/manifests.ts';
import { wrongBeyondTheSchema, wrongSpecs } from '../../support/wrong-specs.ts';

const rolloutSchema = rootSchema(rolloutResource).properties!;
const metricSchema = rootSchema(metricResource).properties!;
const flagSchema = rootSchema(featureFlagResource).properties!;
const parsers: Record<string, typeof parseRollout | typeof parseMetric | typeof parseFeatureFlag> = {
  Rollout: parseRollout,
  Metric: parseMetric,
  FeatureFlag: parseFeatureFlag,
};

test('a Rollout gets its defaults, and its durations become milliseconds', () => {
  const parsed = parseRollout(fullRollout());
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { spec } = parsed.rollout;
  expect(spec.bake).toBe(60_000);
  expect(spec.workload).toEqual({ kind: 'Deployment', name: 'catalog', gate: 'Webhook' });
  expect(spec.fastRevert.within).toBe(86_400_000);
  expect(spec.steps[0]).toEqual({ shadow: { percent: 10, methods: ['GET', 'HEAD'] }, hold: 120_000 });
  expect(spec.guardrails[0]).toMatchObject({
    interval: 10_000,
    failures: { count: 2, within: 3 },
    noEvidence: { action: 'Hold', after: 1_800_000 },
  });
});

test.each([...manifestsIn('examples/rollouts')])('%s parses', (_, manifest) => {
  expect(parseRollout(manifest)).toMatchObject({ ok: true });
});

test.each([...manifestsIn('examples/metrics')])('%s parses', (_, manifest) => {
  expect(parseMetric(manifest)).toMatchObject({ ok: true });
});

test.each([...manifestsIn('examples/flags')])('%s parses', (_, manifest) => {
  expect(parseFeatureFlag(manifest)).toMatchObject({ ok: true });
});

test('the manifest that the wrong specs are made from is right', () => {
  expect(parseRollout(fullRollout())).toMatchObject({ ok: true });
  expect(parseMetric(fullMetric())).toMatchObject({ ok: true });
  expect(parseFeatureFlag(fullFlag())).toMatchObject({ ok: true });
});

test.each([...wrongSpecs, ...wrongBeyondTheSchema].map((wrong) => [wrong.name, wrong] as const))(
  'refuses a %s, at its field',
  (_, wrong) => {
    const parsed = parsers[wrong.object.kind]!(wrong.object);
    if (parsed.ok) throw new Error('was accepted');
    expect(parsed.problems.map(({ path }) => path)).toContain(wrong.path);
  },
);

test('problems tell missing, unknown and wrong fields apart', () => {
  const object = fullRollout();
  delete object.spec.traffic.service;
  object.spec.step = [];
  object.spec.steps[2].weight = 101;
  const parsed = parseRollout(object);
  if (parsed.ok) throw new Error('was accepted');
  expect(parsed.problems.map(({ code, path }) => [code, path])).toEqual([
    ['SLUICE_FIELD_REQUIRED', 'spec.traffic.service'],
    ['SLUICE_FIELD_INVALID', 'spec.steps[2].weight'],
    ['SLUICE_FIELD_UNKNOWN', 'spec.step'],
  ]);
});

test('a duration over a year is refused', () => {
  const object = fullRollout();
  object.spec.bake = '366d';
  expect(parseRollout(object)).toMatchObject({ ok: false, problems: [{ path: 'spec.bake' }] });
});

test('an object of another kind, and what is no object, are refused', () => {
  expect(parseRollout(fullMetric())).toMatchObject({
    ok: false,
    problems: expect.arrayContaining([expect.objectContaining({ path: 'kind' })]),
  });
  for (const nothing of [undefined, null, 'Rollout', 7, []]) expect(parseRollout(nothing)).toMatchObject({ ok: false });
});

test('an object that is too large is refused before it is looked at, other managers’ bookkeeping aside', () => {
  const object = fullRollout();
  object.metadata.managedFields = ['x'.repeat(300_000)];
  expect(parseRollout(object)).toMatchObject({ ok: true });
  object.metadata.annotations = { note: 'x'.repeat(300_000) };
  expect(parseRollout(object)).toMatchObject({ ok: false, problems: [{ code: 'SLUICE_OBJECT_TOO_LARGE' }] });
});

test('a thousand mistakes give at most fifty problems', () => {
  const object = fullRollout();
  for (let i = 0; i < 1000; i++) object.spec[`unknown${i}`] = i;
  const parsed = parseRollout(object);
  expect(!parsed.ok && parsed.problems.length).toBe(50);
});

test('a Rollout is read whatever stands in its status', () => {
  expect(parseRollout({ ...fullRollout(), status: 'broken' })).toMatchObject({ ok: true });
});

test('the status of a new object is all defaults', () => {
  expect(parseRolloutStatus(undefined)).toMatchObject({ ok: true, status: { phase: 'Initializing', guardrails: [] } });
  expect(parseMetricStatus(undefined)).toEqual({ ok: true, status: { conditions: [] } });
});

test('a status that is broken says where', () => {
  expect(parseRolloutStatus({ phase: 'Lost' })).toMatchObject({ ok: false, problems: [{ path: 'status.phase' }] });
});

test('fields that a newer version wrote into the status are left out', () => {
  expect(parseRolloutStatus({ phase: 'Healthy', later: 1 })).not.toHaveProperty('status.later');
});

test('every spec of a Rollout comes back from its text', () => {
  fc.assert(
    fc.property(arbitraryOf(rolloutSchema.spec!), (spec) => {
      const read = specOf(parseRollout({ ...fullRollout(), spec }));
      expect(
        specOf(parseRollout({ ...fullRollout(), spec: z.encode(rolloutResource.object.shape.spec, read) })),
      ).toEqual(read);
    }),
  );
});

test('every spec of a Metric comes back from its text', () => {
  fc.assert(
    fc.property(arbitraryOf(metricSchema.spec!), (spec) => {
      const read = specOf(parseMetric({ ...fullMetric(), spec }));
      expect(specOf(parseMetric({ ...fullMetric(), spec: z.encode(metricResource.object.shape.spec, read) }))).toEqual(
        read,
      );
    }),
  );
});

test('every spec of a FeatureFlag comes back from its text', () => {
  fc.assert(
    fc.property(arbitrarySpecOf(featureFlagResource), (spec) => {
      const read = specOf(parseFeatureFlag({ ...fullFlag(), spec }));
      const text = z.encode(featureFlagResource.object.shape.spec, read);
      expect(specOf(parseFeatureFlag({ ...fullFlag(), spec: text }))).toEqual(read);
    }),
  );
});

test('a day of expiry lasts to its end, in UTC', () => {
  const object = fullFlag();
  object.spec.expiresAfter = '2024-02-29';
  expect(specOf(parseFeatureFlag(object)).expiresAfter).toBe(Date.parse('2024-03-01T00:00:00Z'));
});

test('a long history does not make a flag too large to be read', () => {
  const status = { history: [{ revision: 1, at: '2026-01-01T00:00:00Z', spec: 'x'.repeat(262_144) }] };
  expect(parseFeatureFlag({ ...fullFlag(), status })).toMatchObject({ ok: true });
  expect(parseFeatureFlagStatus(status)).toMatchObject({ ok: true });
});

test('a condition of ten thousand levels is refused without a stack overflow', () => {
  const object = fullFlag();
  let deep: Manifest = { attr: 'a', op: 'exists' };
  for (let i = 0; i < 10_000; i++) deep = { not: deep };
  object.spec.rules[0].when = deep;
  expect(parseFeatureFlag(object)).toMatchObject({ ok: false, problems: [{ path: 'spec.rules[0].when.not.not' }] });
});

test('every status comes back from its text', () => {
  fc.assert(
    fc.property(arbitraryOf(rolloutSchema.status!), (text) => {
      const status = statusOf(parseRolloutStatus(text));
      expect(statusOf(parseRolloutStatus(JSON.parse(JSON.stringify(encodeRolloutStatus(status)))))).toEqual(status);
    }),
  );
  fc.assert(
    fc.property(arbitraryOf(metricSchema.status!), (text) => {
      const status = statusOf(parseMetricStatus(text));
      expect(statusOf(parseMetricStatus(encodeMetricStatus(status)))).toEqual(status);
    }),
  );
  fc.assert(
    fc.property(arbitraryOf(flagSchema.status!), (text) => {
      const status = statusOf(parseFeatureFlagStatus(text));
      expect(statusOf(parseFeatureFlagStatus(encodeFeatureFlagStatus(status)))).toEqual(status);
    }),
  );
});

test('a long message is cut between characters when a status is written', () => {
  const status = { ...statusOf(parseRolloutStatus({})), message: `${'x'.repeat(1022)}😀😀` };
  expect(encodeRolloutStatus(status).message).toBe(`${'x'.repeat(1022)}…`);
});

function specOf(parsed: ReturnType<(typeof parsers)[string]>): Manifest {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  if ('flag' in parsed) return parsed.flag.spec;
  return 'rollout' in parsed ? parsed.rollout.spec : parsed.metric.spec;
}

function statusOf<Status>(parsed: { ok: true; status: Status } | { ok: false; problems: unknown }): Status {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.status;
}
