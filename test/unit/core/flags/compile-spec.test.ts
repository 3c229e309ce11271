import { expect, test } from 'vitest';
import { observedFlag } from '../../../../src/controllers/feature-flag/gather.ts';
import { flagObject } from '../../../support/flag-objects.ts';
import { fullFlag, type Manifest } from '../../../support/manifests.ts';

const compiled = (spec: Manifest, name = 'checkout'): Manifest => observedFlag(flagObject(name, spec)).source.current;
const flagOf = (spec: Manifest, name?: string): Manifest => {
  const result = compiled(spec, name);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.flag;
};
const split = (weights: readonly number[], rest: Manifest = {}) => ({
  split: weights.map((weight, index) => ({ variant: index === 0 ? 'on' : 'off', weight })).slice(0, 2),
  ...rest,
});

test('a flag in a ruleset is what its spec says, with nothing undefined in it', () => {
  const { key: _, purpose: _p, owner: _o, expiresAfter: _e, salt: _s, ...spec } = fullFlag().spec;
  const flag = flagOf(spec);
  expect(flag).toStrictEqual({
    type: 'boolean',
    variants: { on: true, off: false },
    offVariant: 'off',
    defaultVariant: 'off',
    enabled: true,
    killSwitch: false,
    clientSide: true,
    overrides: [{ units: ['qa-1', 'qa-2'], variant: 'on' }],
    prerequisites: [{ flag: 'payments-v2', variants: ['on'] }],
    segments: { staff: { any: [{ attr: 'email', op: 'endsWith', value: '@shop.example', ignoreCase: true }] } },
    rules: [
      { id: 'staff', when: { all: [{ segment: 'staff' }] }, serve: { variant: 'on' } },
      {
        id: 'ramp',
        when: { all: [{ attr: 'country', op: 'in', value: ['DE', 'AT'] }, { not: { attr: 'beta', op: 'exists' } }] },
        admissions: [
          {
            unit: 'targetingKey',
            hash: 'murmur3-32/1',
            salt: 'flag/shop/checkout#ramp/admission-1',
            ranges: [[0, 5000]],
          },
          { unit: 'accountId', hash: 'murmur3-32/1', salt: 'accounts', ranges: [[0, 5000]] },
        ],
        serve: {
          split: {
            unit: 'targetingKey',
            hash: 'murmur3-32/1',
            salt: 'flag/shop/checkout#ramp',
            arms: [
              { variant: 'on', end: 1000 },
              { variant: 'off', end: 10_000 },
            ],
          },
        },
      },
      { id: 'launch', when: { all: [{ time: { after: '2026-12-01T08:00:00Z' } }] }, serve: { variant: 'on' } },
    ],
  });
});

test('the salt of a split is made of namespace, key and rule; spec.salt replaces these, serve.salt all of it', () => {
  const rules = [{ id: 'ramp', serve: split([1, 1]) }];
  const saltOf = (flag: Manifest) => flag.rules[0].serve.split.salt;
  expect(saltOf(flagOf({ rules }, 'checkout'))).toBe('flag/shop/checkout#ramp');
  expect(saltOf(flagOf({ rules, key: 'other' }))).toBe('flag/shop/other#ramp');
  expect(saltOf(flagOf({ rules, salt: 'old-name' }))).toBe('flag/old-name');
  expect(saltOf(flagOf({ rules: [{ id: 'ramp', serve: split([1, 1], { salt: 'exact' }) }] }))).toBe('exact');
});

test.each([
  [{ percent: 0 }, []],
  [{ percent: 0.07 }, [[0, 7]]],
  [{ percent: 33.33 }, [[0, 3333]]],
  [{ percent: 100 }, [[0, 10_000]]],
  [
    {
      ranges: [
        { from: 10, to: 20 },
        { from: 0, to: 5 },
      ],
    },
    [
      [10, 20],
      [0, 5],
    ],
  ],
])('an admission of %j takes the buckets %j', (admission, ranges) => {
  const rules = [{ id: 'ramp', admissions: [admission], serve: { variant: 'on' } }];
  expect(flagOf({ rules }).rules[0].admissions[0].ranges).toEqual(ranges);
});

test('arms of hashes that count in weights end at the sums of the weights, which must be whole', () => {
  const rules = (weights: number[]) => [{ id: 'ramp', serve: split(weights, { hash: 'unleash/1' }) }];
  expect(flagOf({ rules: rules([300, 700]) }).rules[0].serve.split.arms).toEqual([
    { variant: 'on', end: 300 },
    { variant: 'off', end: 1000 },
  ]);
  expect(compiled({ rules: rules([0.5, 1]) })).toEqual({
    ok: false,
    problems: [{ path: 'spec.rules[0].serve.split[0].weight', message: 'must be whole for unleash/1' }],
  });
});

test.each([
  ['a pattern that is none', { attr: 'email', op: 'matches', value: '(' }, 'spec.rules[0].when'],
  ['a network that is none', { attr: 'ip', op: 'inCidr', value: '10.0.0.0/99' }, 'spec.rules[0].when'],
  ['a version that is none', { attr: 'app', op: 'semverGe', value: 'latest' }, 'spec.rules[0].when'],
  ['a text where a number is due', { attr: 'age', op: 'gt', value: 'ten' }, 'spec.rules[0].when.value'],
  ['one value where a list is due', { attr: 'country', op: 'in', value: 'DE' }, 'spec.rules[0].when.value'],
  ['a date that is none', { attr: 'born', op: 'before', value: 'yesterday' }, 'spec.rules[0].when.value'],
])('%s is a problem at its path', (_, when, path) => {
  const result = compiled({ rules: [{ id: 'r', when, serve: { variant: 'on' } }] });
  expect(result.ok).toBe(false);
  expect(result.problems[0].path).toContain(path);
});

test.each([
  ['a lone surrogate', { variants: { on: { a: '\ud800' }, off: {} } }, 'variants.on.a'],
  ['63 levels, which are too many inside of a ruleset', { variants: { on: levels(61), off: {} } }, 'variants.on'],
])('%s is a problem of the flag alone: whole rulesets are refused for it', (_, spec, path) => {
  const result = compiled({ type: 'object', ...spec });
  expect([result.ok, result.problems?.[0]?.path]).toEqual([false, expect.stringContaining(`spec.${path}`)]);
});

test('a key that JSON cannot keep is a problem of the flag alone', () => {
  expect(compiled({ key: '__proto__' }).problems).toEqual([
    { path: 'spec.key', message: 'must not be named __proto__' },
  ]);
});

function levels(count: number): object {
  return count === 0 ? {} : { a: levels(count - 1) };
}
