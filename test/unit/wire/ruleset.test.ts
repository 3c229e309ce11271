import { describe, expect, test } from 'vitest';
import type { Flag } from '../../../src/wire/flag.ts';
import { parseRuleset, type Ruleset, sizeProblem } from '../../../src/wire/ruleset.ts';
import { flagWith, rulesetWith, ruleWith } from '../../support/ruleset.ts';

const draw = { unit: 'targetingKey', hash: 'murmur3-32/1', salt: 's' } as const;
const wellFormed = rulesetWith(
  {
    checkout: flagWith({
      overrides: [{ units: ['qa-1'], variant: 'on' }],
      prerequisites: [{ flag: 'payments', variants: ['on'] }],
      segments: { staff: { any: [{ attr: 'email', op: 'endsWith', value: '@shop.example', ignoreCase: true }] } },
      holdouts: [{ layer: 'checkout', holdout: 'q4', variant: 'off', experiment: 'shop/one-page', phase: 1 }],
      experiments: [
        {
          key: 'shop/one-page',
          phase: 1,
          when: { not: { attr: 'bot', op: 'exists' } },
          admission: { layer: 'checkout', ranges: [[0, 2_000]] },
          arms: {
            ...draw,
            arms: [
              { name: 'control', variant: 'off', end: 5_000 },
              { name: 'treatment', variant: 'on', end: 10_000 },
            ],
          },
        },
      ],
      rules: [
        ruleWith({ id: 'staff', when: { all: [{ segment: 'staff' }] } }),
        ruleWith({ id: 'ramp', admissions: [{ ...draw, ranges: [[0, 500]] }] }),
        ruleWith({ id: 'launch', when: { time: { after: '2026-12-01T08:00:00Z' } } }),
        ruleWith({ id: 'split', serve: { split: { ...draw, arms: [{ variant: 'on', end: 10_000 }] } } }),
      ],
    }),
  },
  { checkout: { ...draw, holdouts: { q4: { salt: 'h', ranges: [[0, 500]] } } } },
);

const problemsOf = (document: unknown) => {
  const parsed = parseRuleset(document);
  return parsed.ok ? [] : parsed.problems;
};
const ofFlag = (parts: Partial<Flag> | Record<string, unknown>) =>
  problemsOf(rulesetWith({ f: flagWith(parts as Partial<Flag>) }));
const ofWhen = (when: unknown) => ofFlag({ rules: [{ ...ruleWith(), when }] });

describe('parseRuleset', () => {
  test('takes a ruleset with everything in it, and changes nothing', () => {
    const parsed = parseRuleset(JSON.parse(JSON.stringify(wellFormed)));
    expect(parsed).toEqual({ ok: true, ruleset: wellFormed });
  });

  test('refuses a newer schema before anything else', () => {
    expect(parseRuleset({ schema: 'sluice.ruleset/v2', more: '\ud800' })).toMatchObject({
      ok: false,
      code: 'SLUICE_RULESET_NEWER',
    });
    expect(parseRuleset({ ...wellFormed, schema: 'sluice.ruleset/v0' })).toMatchObject({
      code: 'SLUICE_RULESET_INVALID',
    });
  });

  test.each([
    ['a field that v1 does not know', { ...wellFormed, extra: 1 }, ''],
    [
      'a flag named __proto__',
      JSON.parse(JSON.stringify(wellFormed).replace('"checkout":{"type"', '"__proto__":{"type"')),
      'flags.__proto__',
    ],
    ['a lone surrogate', { ...wellFormed, unitHashSalt: '\ud800' }, 'unitHashSalt'],
    ['no ruleset at all', 'text', ''],
  ])('refuses %s', (_, document, path) => {
    expect(problemsOf(document)[0]?.path).toBe(path);
  });

  test('refuses documents that are nested without end, and cyclic ones, at once', () => {
    let deep: unknown = {};
    for (let level = 0; level < 200_000; level++) deep = { flags: deep };
    const cyclic: Record<string, unknown> = {};
    cyclic.flags = cyclic;
    expect(problemsOf(deep)[0]?.message).toContain('nested deeper');
    expect(problemsOf(cyclic)[0]?.message).toContain('nested deeper');
  });

  test('refuses more text than it is willing to look at', () => {
    const huge = { ...wellFormed, unitHashSalt: 'x'.repeat(17 * 1024 * 1024) };
    expect(problemsOf(huge)).toEqual([{ path: '', message: 'is larger than 16777216 characters' }]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a default that is no variant', { defaultVariant: 'maybe' }, 'flags.f.defaultVariant'],
    ['an inherited name as variant', { offVariant: 'constructor' }, 'flags.f.offVariant'],
    ['a value of another type', { variants: { on: 1, off: false } }, 'flags.f.variants.on'],
    ['null as an object', { type: 'object', variants: { on: null, off: {} } }, 'flags.f.variants.on'],
    ['an override of no variant', { overrides: [{ units: [], variant: 'x' }] }, 'flags.f.overrides[0].variant'],
    ['two rules of one id', { rules: [ruleWith(), ruleWith()] }, 'flags.f.rules[1]'],
    [
      'a layer that is not there',
      {
        experiments: [
          {
            key: 'e',
            phase: 1,
            admission: { layer: 'l', ranges: [] },
            arms: { ...draw, arms: [{ name: 'a', variant: 'on', end: 10_000 }] },
          },
        ],
      },
      'flags.f.experiments[0].admission.layer',
    ],
    [
      'a holdout that is not there',
      { holdouts: [{ layer: 'toString', holdout: 'x', variant: 'on' }] },
      'flags.f.holdouts[0]',
    ],
  ])('refuses %s', (_, parts, path) => {
    expect(ofFlag(parts)[0]?.path).toBe(path);
  });

  test.each([
    [
      'ranges that overlap',
      [
        [0, 10],
        [9, 20],
      ],
    ],
    ['an empty range', [[5, 5]]],
    ['a range beyond the buckets', [[0, 10_001]]],
    ['half a bucket', [[0, 0.5]]],
  ])('refuses %s', (_, ranges) => {
    expect(ofFlag({ rules: [{ ...ruleWith(), admissions: [{ ...draw, ranges }] }] })[0]?.path).toContain(
      'flags.f.rules[0].admissions[0].ranges',
    );
  });

  test('takes ranges in the order in which they grew', () => {
    expect(
      ofFlag({
        rules: [
          ruleWith({
            admissions: [
              {
                ...draw,
                ranges: [
                  [500, 600],
                  [0, 100],
                ],
              },
            ],
          }),
        ],
      }),
    ).toEqual([]);
  });

  test.each([
    ['arms that do not reach the last bucket', 'murmur3-32/1', [9_999]],
    ['arms that fall', 'murmur3-32/1', [6_000, 5_000, 10_000]],
    ['arms of no weight', 'unleash/1', [0]],
  ])('refuses %s', (_, hash, ends) => {
    const split = { ...draw, hash, arms: ends.map((end) => ({ variant: 'on', end })) };
    expect(ofFlag({ rules: [{ id: 'r', serve: { split } }] })).not.toEqual([]);
  });

  test('lets unleash and flagd count in the sum of their weights', () => {
    const split = { ...draw, hash: 'unleash/1' as const, arms: [{ variant: 'on', end: 3 }] };
    expect(ofFlag({ rules: [ruleWith({ serve: { split } })] })).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['an operator that does not exist', { attr: 'a', op: 'like', value: 'x' }, 'rules[0].when'],
    ['a comparison of the wrong type', { attr: 'a', op: 'lt', value: '5' }, 'rules[0].when.value'],
    ['a comparison without value', { attr: 'a', op: 'eq' }, 'rules[0].when.value'],
    ['a comparison with two ways', { all: [], any: [] }, 'rules[0].when'],
    ['a time without bounds', { time: {} }, 'rules[0].when.time'],
    ['a date without zone', { attr: 'a', op: 'before', value: '2026-01-01T00:00:00' }, 'rules[0].when.value'],
    ['a pattern that is too long', { attr: 'a', op: 'matches', value: 'a'.repeat(1_025) }, 'rules[0].when.value'],
  ])('refuses %s', (_, when, path) => {
    expect(ofWhen(when)[0]?.path).toContain(path);
  });

  test('refuses conditions that are nested too deep', () => {
    let when: unknown = { attr: 'a', op: 'exists' };
    for (let level = 0; level < 15; level++) when = { not: when };
    expect(ofWhen(when)).toEqual([]);
    expect(ofWhen({ not: when })[0]?.message).toContain('deeper than 16');
  });
});

test('what flags break together is found before anybody is given it, as evaluators would find it', () => {
  const many = <T>(count: number, one: (index: number) => T) => Array.from({ length: count }, (_, index) => one(index));
  const times = (count: number) => many(count, (index) => new Date(index * 1_000).toISOString());
  const flags = (count: number) => Object.fromEntries(many(count, (index) => [`f${index}`, flagWith()]));
  const texts = many(257, (index) => [
    `f${index}`,
    flagWith({ type: 'string', variants: { on: 'x'.repeat(65_000), off: '' } }),
  ]);
  const wrong: [Ruleset, string][] = [
    [{ ...rulesetWith({}), timeBoundaries: times(10_001) }, 'timeBoundaries'],
    [rulesetWith(flags(10_001)), 'flags'],
    [rulesetWith(Object.fromEntries([...texts, ...texts.map(([key, flag]) => [`more-${key}`, flag])])), ''],
  ];
  for (const [ruleset, path] of wrong) {
    expect(sizeProblem(ruleset)?.path).toBe(path);
    const parsed = parseRuleset(ruleset);
    expect(parsed.ok ? [] : parsed.problems[0]).toMatchObject({ path });
  }
  const most = { ...rulesetWith(flags(10_000)), timeBoundaries: times(10_000) };
  expect([sizeProblem(most), parseRuleset(most).ok]).toEqual([undefined, true]);
});
