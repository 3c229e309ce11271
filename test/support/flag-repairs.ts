import type { Manifest } from './manifests.ts';

/** For fields that the API server does not look into: what each of them could hold stands in a repair. */
export const OPAQUE_SAMPLES: readonly Manifest[] = ['text', 1.5, true];

export const DEEP_CONDITIONS: readonly Manifest[] = [
  { attr: 'deep', op: 'exists' },
  { any: [{ not: { attr: 'deep', op: 'in', value: ['x', 1, true] } }] },
];

/** Parts of a FeatureFlag whose rules a generator does not know, made right; by the name of the field. */
export const flagRepairs: Record<string, (value: Manifest) => Manifest> = {
  when: condition,
  admissions: (list) =>
    list.map(({ percent, ranges, ...rest }: Manifest) =>
      ranges ? { ranges, ...rest } : { percent: percent ?? 5, ...rest },
    ),
  ranges: (list) => list.map((_: Manifest, at: number) => ({ from: at * 10, to: at * 10 + 5 })),
  serve: ({ variant, split, unit, hash, salt }) =>
    split
      ? { split: split.map((arm: Manifest, at: number) => (at === 0 ? { ...arm, weight: 1 } : arm)), unit, hash, salt }
      : { variant: variant ?? 'on' },
};

/** Names of variants and segments that exist, and values of the type. */
export function withKnownNames(spec: Manifest): Manifest {
  const samples: Record<string, Manifest> = {
    boolean: true,
    string: 'x',
    number: -0.5,
    object: { deep: [1, null, {}] },
  };
  const variants = Object.fromEntries(Object.keys(spec.variants).map((name) => [name, samples[spec.type]]));
  const known = Object.keys(variants);
  const first = known[0];
  return {
    ...spec,
    variants,
    offVariant: first,
    defaultVariant: known.at(-1),
    ...(spec.overrides && { overrides: spec.overrides.map((one: Manifest) => ({ ...one, variant: first })) }),
    ...(spec.segments && { segments: mapped(spec.segments, withoutSegments) }),
    ...(spec.rules && {
      rules: spec.rules.map(({ when, serve, ...rest }: Manifest) => ({
        ...rest,
        ...(when && { when: withoutSegments(when) }),
        serve: serve.split
          ? { ...serve, split: known.map((variant, at) => ({ variant, weight: at + 1 })) }
          : { variant: first },
      })),
    }),
  };
}

const mapped = (map: Manifest, change: (value: Manifest) => Manifest): Manifest =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

const withoutSegments = (root: Manifest): Manifest =>
  JSON.parse(JSON.stringify(condition(root)), (key, value) =>
    value && typeof value === 'object' && 'segment' in value && key !== 'segments'
      ? { time: { after: '2026-01-01T00:00:00Z' } }
      : value,
  );

/** A condition that says exactly one thing, from one that says any. */
function condition({ all, any, not, attr, op, value, ignoreCase, segment, time }: Manifest): Manifest {
  if (all) return { all: all.map(condition) };
  if (any) return { any: any.map(condition) };
  if (not) return { not: condition(not) };
  if (segment) return { segment };
  if (time?.after || time?.before) return { time };
  const compared = op && op !== 'exists' ? { op, value: value ?? 'x' } : { op: 'exists' };
  return {
    attr: attr ?? 'country',
    ...compared,
    ...(ignoreCase !== undefined && /With|contains/.test(op) && { ignoreCase }),
  };
}
