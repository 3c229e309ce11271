import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import { murmur3 } from '../../../src/core/evaluation/murmur3.ts';
import { importFlagd } from '../../../src/importers/flagd/import.ts';
import { compiledImport } from '../../support/imported-flags.ts';

const flag = (targeting?: unknown, parts: object = {}) => ({
  state: 'ENABLED',
  variants: { red: 'r', green: 'g', blue: 'b' },
  defaultVariant: 'red',
  ...(targeting !== undefined && { targeting }),
  ...parts,
});
const imported = (targeting: unknown, $evaluators = {}) => importFlagd({ flags: { f: flag(targeting) }, $evaluators });
const variantOf = (targeting: unknown, context: object, $evaluators = {}) => {
  const answer = evaluate(compiledImport(imported(targeting, $evaluators)), 'f', context, 0);
  return answer.kind === 'Served' ? answer.variant : answer.kind;
};
/** What flagd draws: the hash of key and unit, scaled by the sum of the weights. */
const drawn = (text: string, weights: readonly number[]) => {
  const total = weights.reduce((sum, one) => sum + one, 0);
  const bucket = Number((BigInt(murmur3(text, 0)) * BigInt(total)) >> 32n);
  return weights.findIndex((_, index) => bucket < weights.slice(0, index + 1).reduce((sum, one) => sum + one, 0));
};

describe('flags of flagd', () => {
  test.each<[string, unknown, object, string]>([
    ['===', { '===': [{ var: 'tier' }, 'pro'] }, { tier: 'pro' }, 'green'],
    ['the value before the attribute', { '==': ['pro', { var: ['tier'] }] }, { tier: 'pro' }, 'green'],
    ['!= of an absent attribute', { '!=': [{ var: 'tier' }, 'pro'] }, {}, 'green'],
    ['!', { '!': [{ '==': [{ var: 'tier' }, 'pro'] }] }, { tier: 'pro' }, 'red'],
    ['! of an absent attribute', { '!': { starts_with: [{ var: 'tier' }, 'p'] } }, {}, 'green'],
    ['in a list', { in: [{ var: 'country' }, ['DE', 'AT']] }, { country: 'AT' }, 'green'],
    ['in a text', { in: ['@shop.example', { var: 'email' }] }, { email: 'a@shop.example' }, 'green'],
    ['not in a text', { '!': [{ in: ['@shop.example', { var: 'email' }] }] }, { email: 'a@b.example' }, 'green'],
    ['not in a list of the context', { '!': [{ in: ['x', { var: 'tags' }] }] }, { tags: ['x'] }, 'red'],
    ['ends_with', { ends_with: [{ var: 'email' }, 'example'] }, { email: 'a@b.example' }, 'green'],
    ['sem_ver', { sem_ver: [{ var: 'v' }, '>=', '1.2.0'] }, { v: '1.10.0' }, 'green'],
    ['<', { '<': [{ var: 'n' }, 5] }, { n: 4 }, 'green'],
    ['an absent number, which is 0', { '<': [{ var: 'n' }, 5] }, {}, 'green'],
    [
      'and of or',
      {
        and: [
          { or: [{ '==': [{ var: 'a' }, 1] }, { '==': [{ var: 'b' }, 1] }] },
          { '!!': { '==': [{ var: 'c' }, 1] } },
        ],
      },
      { b: 1, c: 1 },
      'green',
    ],
    ['not and', { '!': { and: [{ '==': [{ var: 'a' }, 1] }, { '==': [{ var: 'b' }, 1] }] } }, { a: 1, b: 2 }, 'green'],
    ['$ref', { $ref: 'isStaff' }, { staff: true }, 'green'],
  ])('take %s', (_, condition, context, expected) => {
    expect(variantOf({ if: [condition, 'green'] }, context, { isStaff: { '==': [{ var: 'staff' }, true] } })).toBe(
      expected,
    );
  });

  test('go through chains, and chains within chains, as they stand', () => {
    const is = (attr: string) => ({ '==': [{ var: attr }, 1] });
    const targeting = { if: [is('a'), { if: [is('b'), 'blue'] }, is('b'), 'green', 'blue'] };
    expect(variantOf(targeting, { a: 1, b: 1 })).toBe('blue');
    expect(variantOf(targeting, { a: 1 })).toBe('red');
    expect(variantOf(targeting, { b: 1 })).toBe('green');
    expect(variantOf(targeting, {})).toBe('blue');
  });

  test('draw every user as flagd does', () => {
    const weights = [25, 25, 50];
    const arms = [
      ['red', 25],
      ['green', 25],
      ['blue', 50],
    ];
    const names = ['red', 'green', 'blue'];
    for (let user = 0; user < 300; user++) {
      const unit = `usér-${user}`;
      expect(variantOf({ fractional: arms }, { targetingKey: unit })).toBe(names[drawn(`f${unit}`, weights)]);
    }
    const byEmail = { fractional: [{ cat: [{ var: '$flagd.flagKey' }, '-', { var: 'email' }] }, ...arms] };
    expect(variantOf(byEmail, { email: 'a@b' })).toBe(names[drawn('f-a@b', weights)]);
    expect(variantOf(byEmail, {})).toBe('red');
  });

  test('that are disabled leave the value to the application', () => {
    const { flags } = importFlagd({ flags: { f: flag(undefined, { state: 'DISABLED' }) } });
    expect(flags[0]?.spec.enabled).toBe(false);
  });

  test.each<[string, unknown, string]>([
    ['arithmetic', { if: [{ '>': [{ '+': [{ var: 'a' }, 1] }, 2] }, 'green'] }, 'flags.f.targeting.if[0].>'],
    ['the time', { if: [{ '>': [{ var: '$flagd.timestamp' }, 2] }, 'green'] }, 'flags.f.targeting.if[0].>'],
    ['nested attributes', { if: [{ '==': [{ var: 'a.b' }, 2] }, 'green'] }, 'flags.f.targeting.if[0].=='],
    ['an operation as outcome', { if: [true, { var: 'x' }] }, 'flags.f.targeting.if[1].var'],
    ['a variant that is not there', { if: [true, 'pink'] }, 'flags.f.targeting.if[1]'],
    ['a draw without salt', { fractional: [{ var: 'email' }, ['red', 1]] }, 'flags.f.targeting.fractional[0]'],
    ['version ranges', { if: [{ sem_ver: [{ var: 'v' }, '^', '1.2.0'] }, 'green'] }, 'flags.f.targeting.if[0].sem_ver'],
  ])('with %s are refused by path', (_, targeting, path) => {
    expect(imported(targeting)).toMatchObject({ flags: [], refused: [{ path }] });
  });

  test('that are nested without end are refused', () => {
    let deep: unknown = true;
    for (let level = 0; level < 50_000; level++) deep = { '!': deep };
    expect(imported({ if: [deep, 'green'] }).refused[0]?.message).toContain('nested deeper');
    const loop = { loop: { $ref: 'loop' } };
    expect(imported({ if: [{ $ref: 'loop' }, 'green'] }, loop).refused[0]?.message).toContain('nested too deep');
  });
});
