import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resizeAdmission } from '../../../../src/core/evaluation/admission.ts';
import { armEnds } from '../../../../src/core/evaluation/arms.ts';
import { compileRuleset } from '../../../../src/core/evaluation/compile.ts';
import { evaluate } from '../../../../src/core/evaluation/evaluate.ts';
import type { Comparison, Condition } from '../../../../src/wire/condition.ts';
import { HASHES, type Ranges } from '../../../../src/wire/draw.ts';
import type { Flag, Rule } from '../../../../src/wire/flag.ts';
import { parseRuleset } from '../../../../src/wire/ruleset.ts';
import { compiledWith, flagWith, rulesetWith, ruleWith } from '../../../support/ruleset.ts';

const attr = fc.constantFrom('targetingKey', 'a', 'b', '__proto__', 'constructor', 'length');
const scalar = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const list = fc.array(scalar, { maxLength: 12 });
const instant = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('9000-01-01') })
  .map((date) => date.toISOString());
const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({ attr, op: fc.constant('exists' as const) }),
  fc.record({ attr, op: fc.constant('eq' as const), value: scalar }),
  fc.record({
    attr,
    op: fc.constantFrom('in' as const, 'anyOf' as const, 'allOf' as const, 'noneOf' as const),
    value: list,
  }),
  fc.record({ attr, op: fc.constantFrom('lt' as const, 'ge' as const), value: fc.integer() }),
  fc.record({ attr, op: fc.constantFrom('before' as const, 'after' as const), value: instant }),
  fc.record({
    attr,
    op: fc.constantFrom('semverLt' as const, 'semverEq' as const),
    value: fc.constantFrom('1.2.3', 'x'),
  }),
  fc.record({
    attr,
    op: fc.constantFrom('startsWith' as const, 'matches' as const),
    value: fc.constantFrom('a', '(a+)+$', '('),
  }),
  fc.record({ attr, op: fc.constant('inCidr' as const), value: fc.constantFrom('10.0.0.0/8', '::/0', 'x') }),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.record({ segment: fc.constantFrom('s', 't', 'gone') }),
    instant.map((after) => ({ time: { after } })),
    fc.array(tie('condition'), { maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
  ),
}));
const draw = { unit: attr, hash: fc.constantFrom(...HASHES), salt: fc.string({ unit: 'grapheme', maxLength: 5 }) };
const variant = fc.constantFrom('on', 'off');
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    id: fc.uuid(),
    when: condition,
    admissions: fc.array(fc.record({ ...draw, ranges: fc.constantFrom<Ranges>([], [[0, 5_000]], [[0, 10_000]]) }), {
      maxLength: 2,
    }),
    serve: fc.oneof<fc.Arbitrary<Rule['serve']>[]>(
      fc.record({ variant }),
      fc.record({
        split: fc.record({
          ...draw,
          arms: fc.constant<{ variant: string; end: number }[]>([
            { variant: 'on', end: 3_333 },
            { variant: 'off', end: 10_000 },
          ]),
        }),
      }),
    ),
  },
  { requiredKeys: ['id', 'serve'] },
);
const flag: fc.Arbitrary<Flag> = fc
  .record(
    {
      defaultVariant: variant,
      killSwitch: fc.boolean(),
      enabled: fc.boolean(),
      overrides: fc.array(fc.record({ units: fc.array(fc.constantFrom('u', 'v')), variant }), { maxLength: 2 }),
      prerequisites: fc.array(
        fc.record({ flag: fc.constantFrom('f', 'g', 'h', 'gone'), variants: fc.array(variant) }),
        { maxLength: 2 },
      ),
      segments: fc.record({ s: condition, t: condition }),
      rules: fc.array(rule, { maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .map((parts) => flagWith(parts as Partial<Flag>));
const rulesets = fc.record({ f: flag, g: flag, h: flag }).map((flags) => rulesetWith(flags));
const contexts = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.dictionary(
    attr,
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('u', '1.2.3', '10.1.1.1', '2026-01-01T00:00:00Z')),
    { noNullPrototype: false },
  ),
);
const KINDS = new Set(['Served', 'Valueless', 'Failed']);

describe('evaluate', () => {
  test('answers any ruleset and any JSON, the same after both went through JSON', () => {
    fc.assert(
      fc.property(rulesets, contexts, fc.double(), (ruleset, context, nowMs) => {
        const again = parseRuleset(JSON.parse(JSON.stringify(ruleset)));
        if (!again.ok) throw new Error(JSON.stringify(again.problems));
        const [one, other] = [compileRuleset(ruleset), compileRuleset(again.ruleset)];
        for (const key of ['f', 'g', 'h', 'gone']) {
          const answer = evaluate(one, key, context, nowMs);
          expect(KINDS).toContain(answer.kind);
          expect(answer).not.toMatchObject({ errorCode: 'GENERAL' });
          expect(evaluate(other, key, JSON.parse(JSON.stringify(context)), nowMs)).toEqual(answer);
          for (const value of Object.values(answer.metadata))
            expect(['string', 'number', 'boolean']).toContain(typeof value);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('answers what is no JSON either', () => {
    const compiled = compiledWith({ f: flagWith({ rules: [ruleWith({ when: { attr: 'a', op: 'eq', value: 1 } })] }) });
    let deep: unknown = 1;
    for (let level = 0; level < 10_000; level++) deep = { a: deep };
    const cyclic: Record<string, unknown> = {};
    cyclic.a = cyclic;
    for (const context of [
      undefined,
      null,
      1,
      'text',
      [],
      [1],
      deep,
      cyclic,
      Symbol('x'),
      () => 1,
      Object.create(null),
      new Map(),
      { a: 1n },
      { a: Symbol('x') },
      { a: '\ud800', '\udc00': 1 },
    ]) {
      expect(evaluate(compiled, 'f', context, 0)).toMatchObject({ kind: 'Served', variant: 'off' });
    }
    const throwing = {
      get a() {
        throw new Error('no');
      },
    };
    expect(evaluate(compiled, 'f', throwing, 0)).toMatchObject({ kind: 'Failed', errorCode: 'GENERAL' });
    expect(evaluate(compiled, 'f', new Proxy({}, { get: () => 1 / 0 }), 0)).toMatchObject({ kind: 'Served' });
  });
});

describe('a ramp', () => {
  const own = { unit: 'targetingKey', hash: 'murmur3-32/1' } as const;
  const units = Array.from({ length: 3_000 }, (_, index) => `user-${index}`);

  test('moves nobody between arms and nobody out, with any number of arms', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 6 });
    const steps = fc
      .array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 5 })
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(weights, steps, (shares, sizes) => {
        const arms = armEnds(shares).map((end, index) => ({ name: `arm-${index}`, variant: 'on', end }));
        let ranges: Ranges = [];
        let before = new Map<string, string>();
        for (const size of sizes) {
          ranges = resizeAdmission(ranges, size) as Ranges;
          const experiment = {
            key: 'shop/e',
            phase: 1,
            admission: { ...own, salt: 'experiment/shop/e', ranges },
            arms: { ...own, salt: 'experiment/shop/e#1', arms },
          };
          const compiled = compiledWith({ f: flagWith({ experiments: [experiment] }) });
          const now = new Map<string, string>();
          for (const targetingKey of units) {
            const { metadata } = evaluate(compiled, 'f', { targetingKey }, 0);
            if (metadata.arm !== undefined) now.set(targetingKey, metadata.arm);
          }
          for (const [unit, arm] of before) expect(now.get(unit)).toBe(arm);
          before = now;
        }
      }),
      { numRuns: 20 },
    );
  });

  test('admits its share, and each arm keeps its share of those', () => {
    const compiled = compiledWith({
      f: flagWith({
        experiments: [
          {
            key: 'shop/e',
            phase: 1,
            admission: { ...own, salt: 'experiment/shop/e', ranges: [[0, 2_500]] },
            arms: {
              ...own,
              salt: 'experiment/shop/e#1',
              arms: [
                { name: 'a', variant: 'on', end: 2_000 },
                { name: 'b', variant: 'off', end: 10_000 },
              ],
            },
          },
        ],
      }),
    });
    const counts = new Map<unknown, number>();
    const total = 40_000;
    for (let user = 0; user < total; user++) {
      const { metadata } = evaluate(compiled, 'f', { targetingKey: `u${user}` }, 0);
      counts.set(metadata.arm, (counts.get(metadata.arm) ?? 0) + 1);
    }
    // Five standard deviations of a binomial count.
    const near = (count: number | undefined, share: number) =>
      expect(Math.abs((count ?? 0) - total * share)).toBeLessThan(5 * Math.sqrt(total * share * (1 - share)));
    near(counts.get('a'), 0.05);
    near(counts.get('b'), 0.2);
    near(counts.get(undefined), 0.75);
  });
});
