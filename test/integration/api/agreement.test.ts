import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { parseFeatureFlag, parseMetric, parseRollout } from '../../../src/api/parse.ts';
import { featureFlagResource, metricResource, type Resource, rolloutResource } from '../../../src/api/resource.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { arbitrarySpecOf } from '../../support/arbitrary-from-schema.ts';
import { installCrds } from '../../support/install-crds.ts';
import type { Manifest } from '../../support/manifests.ts';
import { rawApi } from '../../support/raw-api.ts';

const SERVED_TIMEOUT_MS = 60_000;
const RUNS = 200;

/** Values that are wrong in most places and right in some. */
const ODD_VALUES = ['', 'x', 'X y', '0s', '1s', '0.5s', '1d', 'GET', 'Hold', 0, 1, -1, 1.5, 33.333, 101, true, {}, []];

interface Change {
  readonly at: number;
  readonly value: unknown;
  readonly kind: 'replace' | 'delete' | 'add' | 'repeat';
}

const changes = fc.record<Change>({
  at: fc.nat(),
  value: fc.constantFrom(...ODD_VALUES),
  kind: fc.constantFrom('replace', 'replace', 'delete', 'add', 'repeat'),
});

let namespace: string;

beforeAll(async () => {
  await installCrds(AbortSignal.timeout(SERVED_TIMEOUT_MS));
  namespace = await makeNamespace('agreement');
});

/** Where our parser looks further than structural schemas can (docs/decisions/0150). */
const BEYOND_THE_SCHEMA =
  /variants|offVariant|defaultVariant|segments|[.]variant$|[.]segment$|[.]value$|([.](all|any|not)\b.*){2}/;

test.each<[string, Resource, (object: Manifest) => ReturnType<typeof parseFeatureFlag | typeof parseRollout>]>([
  ['Rollout', rolloutResource, parseRollout],
  ['Metric', metricResource, parseMetric as never],
  ['FeatureFlag', featureFlagResource, parseFeatureFlag],
])('the API server and our parser accept and refuse the same specs of a %s', async (kind, resource, parse) => {
  const specs = arbitrarySpecOf(resource);
  const counts = { accepted: 0, refused: 0 };
  const agree = fc.asyncProperty(specs, fc.array(changes, { maxLength: 1 }), async (valid, some) => {
    // As JSON, because that is what is sent: no field is undefined.
    const spec = JSON.parse(JSON.stringify(valid));
    for (const change of some) applyChange(spec, change);
    const object = { apiVersion: 'sluice.dev/v1alpha1', kind, metadata: { name: 'x' }, spec };
    const parsed = parse(object);
    const path = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/${resource.plural}`;
    const answer = await rawApi(kubeConfig(), 'POST', `${path}?fieldValidation=Strict&dryRun=All`, { body: object });
    const difference = `${JSON.stringify(parsed)}\n${JSON.stringify(answer.body.message)}`;
    const stricter =
      kind === 'FeatureFlag' && !parsed.ok && parsed.problems.every(({ path }) => BEYOND_THE_SCHEMA.test(path));
    if (!stricter) expect(parsed.ok, difference).toBe(answer.status === 201);
    counts[parsed.ok ? 'accepted' : 'refused'] += 1;
  });
  // A fixed seed: a test must not fail today for what it did not find yesterday. Change it to look further.
  await fc.assert(agree, { numRuns: RUNS, seed: Number(process.env.FC_SEED ?? 7) });
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(RUNS / 5);
});

function applyChange(spec: Manifest, { at, value, kind }: Change): void {
  const places = placesIn(spec);
  const { holder, name } = places[at % places.length]!;
  if (kind === 'replace') holder[name] = value;
  else if (kind === 'add') Object.assign(holder, Array.isArray(holder) ? [] : { unknown: value });
  else if (kind === 'repeat' && Array.isArray(holder)) holder.push(holder[Number(name)]);
  else if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else delete holder[name];
}

function placesIn(holder: Manifest): { holder: Manifest; name: string }[] {
  if (typeof holder !== 'object' || holder === null) return [];
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...placesIn(holder[name])]);
}
