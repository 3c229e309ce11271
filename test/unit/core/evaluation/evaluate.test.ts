import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../../src/core/evaluation/evaluate.ts';
import { bucketOf } from '../../../../src/core/evaluation/hash.ts';
import { timeBoundaries } from '../../../../src/core/evaluation/time-boundaries.ts';
import type { Flag, HeldOut, Rule, RunningExperiment } from '../../../../src/wire/flag.ts';
import type { Layer } from '../../../../src/wire/ruleset.ts';
import { compiledWith, flagWith, ruleWith } from '../../../support/ruleset.ts';

const common = { flagSetId: 'shop', version: '7' };
const own = { unit: 'targetingKey', hash: 'murmur3-32/1' } as const;

/** What one flag answers. */
function ask(parts: Partial<Flag>, context: unknown = {}, nowMs = 0, layers: Record<string, Layer> = {}) {
  return evaluate(compiledWith({ f: flagWith(parts) }, layers), 'f', context, nowMs);
}

const split = (ends: readonly number[], unit = 'targetingKey'): Rule['serve'] => ({
  split: {
    ...own,
    unit,
    salt: 'flag/shop/f#split',
    arms: ends.map((end, index) => ({ variant: index % 2 ? 'off' : 'on', end })),
  },
});
const served = (variant: string, reason: string, metadata: object = {}) => ({
  kind: 'Served',
  variant,
  value: variant === 'on',
  reason,
  metadata: { ...common, ...metadata },
  assignment: undefined,
  form: expect.any(Object),
});

describe('the states of a flag, in their order', () => {
  const everything: Partial<Flag> = {
    defaultVariant: 'on',
    overrides: [{ units: ['qa-1'], variant: 'on' }],
    rules: [ruleWith()],
  };

  test('killed, it serves offVariant, against overrides too', () => {
    expect(ask({ ...everything, killSwitch: true, enabled: false }, { targetingKey: 'qa-1' })).toEqual(
      served('off', 'DISABLED'),
    );
  });

  test('not enabled, it has no value', () => {
    expect(ask({ ...everything, enabled: false }, { targetingKey: 'qa-1' })).toEqual({
      kind: 'Valueless',
      reason: 'DISABLED',
      metadata: common,
    });
  });

  test('an override that names the targeting key decides', () => {
    const overrides = [
      { units: ['qa-1', '42', '__proto__'], variant: 'on' },
      { units: ['qa-1'], variant: 'off' },
    ];
    for (const targetingKey of ['qa-1', '42', 42, '__proto__']) {
      expect(ask({ overrides }, { targetingKey })).toEqual(served('on', 'TARGETING_MATCH'));
    }
    for (const targetingKey of ['qa-2', 'constructor', null, 4.2, undefined]) {
      expect(ask({ overrides }, { targetingKey })).toEqual(served('off', 'STATIC'));
    }
  });

  test('without rules it is static, with rules that do not decide it is the default', () => {
    expect(ask({})).toEqual(served('off', 'STATIC'));
    expect(ask({ rules: [ruleWith({ when: { any: [] } })] })).toEqual(served('off', 'DEFAULT'));
  });

  test('the first rule that matches decides', () => {
    const rules = [
      ruleWith({ id: 'unknown', when: { attr: 'a', op: 'eq', value: 1 } }),
      ruleWith({ id: 'first', when: { attr: 'b', op: 'eq', value: 1 }, serve: { variant: 'off' } }),
      ruleWith({ id: 'second' }),
    ];
    expect(ask({ rules }, { b: 1 })).toEqual(served('off', 'TARGETING_MATCH', { ruleId: 'first' }));
    expect(ask({ rules }, { b: 2 })).toEqual(served('on', 'TARGETING_MATCH', { ruleId: 'second' }));
  });

  test('a split says so, with the bucket of its draw', () => {
    const bucket = bucketOf('flag/shop/f#split', 'user-1');
    const rules = [ruleWith({ id: 'ramp', serve: split([bucket + 1, 10_000]) })];
    expect(ask({ rules }, { targetingKey: 'user-1' })).toEqual(served('on', 'SPLIT', { ruleId: 'ramp', bucket }));
    const others = [ruleWith({ id: 'ramp', serve: split([bucket, 10_000]) })];
    expect(ask({ rules: others }, { targetingKey: 'user-1' })).toEqual(
      served('off', 'SPLIT', { ruleId: 'ramp', bucket }),
    );
  });

  test('a rule falls through when its admission says no, and tells the bucket when it says yes', () => {
    const bucket = bucketOf('rollout/shop/web@1', 'user-1');
    const canary = (to: number) => [
      ruleWith({ id: 'canary', admissions: [{ ...own, salt: 'rollout/shop/web@1', ranges: [[0, to]] }] }),
    ];
    expect(ask({ rules: canary(bucket + 1) }, { targetingKey: 'user-1' })).toEqual(
      served('on', 'TARGETING_MATCH', { ruleId: 'canary', bucket }),
    );
    expect(ask({ rules: canary(bucket) }, { targetingKey: 'user-1' })).toEqual(served('off', 'DEFAULT'));
  });

  test('every admission of a rule must say yes', () => {
    const yes = { ...own, salt: 'a', ranges: [[0, 10_000]] as [number, number][] };
    const rules = (ranges: [number, number][]) => [ruleWith({ admissions: [yes, { ...yes, salt: 'b', ranges }, yes] })];
    expect(ask({ rules: rules([[0, 10_000]]) }, { targetingKey: 'u' })).toMatchObject({ variant: 'on' });
    expect(ask({ rules: rules([]) }, { targetingKey: 'u' })).toMatchObject({ variant: 'off' });
  });

  test('a flag that is not there is not found, whatever its name', () => {
    for (const key of ['gone', '__proto__', 'constructor', '', 'toString']) {
      expect(evaluate(compiledWith({}), key, {}, 0)).toEqual({
        kind: 'Failed',
        errorCode: 'FLAG_NOT_FOUND',
        metadata: common,
      });
    }
  });

  test('a flag named like a member of the prototype answers', () => {
    const compiled = compiledWith({ constructor: flagWith({ defaultVariant: 'on' }), 'rollout/shop/web': flagWith() });
    expect(evaluate(compiled, 'constructor', {}, 0)).toMatchObject({ variant: 'on' });
    expect(evaluate(compiled, 'rollout/shop/web', {}, 0)).toMatchObject({ variant: 'off' });
  });
});

describe('a missing unit', () => {
  const ramp = ruleWith({ id: 'ramp', serve: split([10_000]) });
  const missing = [undefined, null, '', true, 1.5, Number.NaN, {}, [], ['u']];

  test.each(missing)('%j makes a rule be passed over, and without another rule the key a must', (targetingKey) => {
    expect(ask({ rules: [ramp] }, { targetingKey })).toEqual({
      kind: 'Failed',
      errorCode: 'TARGETING_KEY_MISSING',
      metadata: { ...common, unitMissing: true },
    });
  });

  test('is told when another rule decides', () => {
    expect(ask({ rules: [ramp, ruleWith({ id: 'all' })] })).toEqual(
      served('on', 'TARGETING_MATCH', { ruleId: 'all', unitMissing: true }),
    );
    const other = ruleWith({ id: 'by-session', serve: split([10_000], 'session') });
    expect(ask({ rules: [ramp, other] }, { session: 's' })).toMatchObject({
      reason: 'SPLIT',
      metadata: { unitMissing: true },
    });
  });

  test('does not matter to a rule that does not match anyway', () => {
    expect(ask({ rules: [{ ...ramp, when: { any: [] } }] })).toEqual(served('off', 'DEFAULT'));
  });

  test('does not matter to the rule before', () => {
    expect(ask({ rules: [ruleWith(), { ...ramp, id: 'later' }] })).toEqual(
      served('on', 'TARGETING_MATCH', { ruleId: 'rule' }),
    );
  });

  test('of an admission counts as well', () => {
    const canary = ruleWith({ admissions: [{ ...own, salt: 's', ranges: [] }] });
    expect(ask({ rules: [canary] })).toMatchObject({ errorCode: 'TARGETING_KEY_MISSING' });
  });

  test('is none where the unit is a whole number', () => {
    const bucket = bucketOf('flag/shop/f#split', '42');
    expect(ask({ rules: [ramp] }, { targetingKey: 42 })).toMatchObject({ metadata: { bucket } });
  });
});

describe('prerequisites', () => {
  const needs = (flag: string, variants: string[] = ['on']): Partial<Flag> => ({
    defaultVariant: 'on',
    prerequisites: [{ flag, variants }],
  });
  const askAll = (flags: Record<string, Partial<Flag>>, key: string, context: unknown = {}) => {
    const compiled = compiledWith(
      Object.fromEntries(Object.entries(flags).map(([name, parts]) => [name, flagWith(parts)])),
    );
    return { answer: evaluate(compiled, key, context, 0), problems: compiled.problems };
  };
  const unmet = (prerequisite: string) => served('off', 'DEFAULT', { prerequisite });

  test('that are met let the flag decide', () => {
    expect(askAll({ a: needs('b'), b: { defaultVariant: 'on' } }, 'a').answer).toEqual(served('on', 'STATIC'));
    expect(askAll({ a: needs('b', ['off', 'on']), b: {} }, 'a').answer).toEqual(served('on', 'STATIC'));
  });

  test.each<[string, Partial<Flag>]>([
    ['serves another variant', {}],
    ['is killed', { defaultVariant: 'on', killSwitch: true }],
    ['is not enabled', { defaultVariant: 'on', enabled: false }],
    ['lacks its unit', { defaultVariant: 'on', rules: [ruleWith({ serve: split([10_000]) })] }],
  ])('are unmet by a flag that %s', (_, b) => {
    expect(askAll({ a: needs('b'), b }, 'a').answer).toEqual(unmet('b'));
  });

  test('are unmet by a flag that is not there, and that is a problem', () => {
    expect(askAll({ a: needs('constructor') }, 'a')).toEqual({
      answer: unmet('constructor'),
      problems: [{ flag: 'a', path: 'prerequisites', message: 'there is no flag constructor' }],
    });
  });

  test('give way to an override', () => {
    const a = { ...needs('b'), overrides: [{ units: ['qa'], variant: 'on' }] };
    expect(askAll({ a, b: {} }, 'a', { targetingKey: 'qa' }).answer).toEqual(served('on', 'TARGETING_MATCH'));
  });

  test('in a cycle make every flag of it serve offVariant, and no other', () => {
    const on = { defaultVariant: 'on' };
    const flags = {
      before: needs('a', ['off']),
      a: needs('b'),
      b: {
        ...needs('c'),
        prerequisites: [
          { flag: 'after', variants: ['on'] },
          { flag: 'c', variants: ['on'] },
        ],
      },
      c: needs('a'),
      self: needs('self'),
      after: on,
      between: needs('after'),
    };
    for (const key of ['a', 'b', 'c', 'self']) {
      expect(askAll(flags, key).answer).toMatchObject({ variant: 'off', reason: 'DEFAULT' });
    }
    for (const key of ['before', 'after', 'between']) expect(askAll(flags, key).answer).toEqual(served('on', 'STATIC'));
    expect(
      askAll(flags, 'a')
        .problems.map(({ flag }) => flag)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'self']);
  });

  test('of a long chain and of a broad one are bounded', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 9_000 }, (_, index) => [`f${index}`, needs(`f${index + 1}`)]),
    );
    const { answer, problems } = askAll({ ...chain, f9000: { defaultVariant: 'on' } }, 'f8744');
    expect(answer).toMatchObject({ kind: 'Served' });
    expect(problems.length).toBeGreaterThan(0);
    const broad = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => {
        const next = { flag: `f${index + 1}`, variants: ['on'] };
        return [`f${index}`, { defaultVariant: 'on', prerequisites: [next, next] }];
      }),
    );
    expect(askAll({ ...broad, f60: { defaultVariant: 'on' } }, 'f0').answer).toMatchObject({ kind: 'Served' });
  });
});

describe('experiments', () => {
  const arms = {
    ...own,
    salt: 'experiment/shop/e#1',
    arms: [
      { name: 'control', variant: 'off', end: 5_000 },
      { name: 'treatment', variant: 'on', end: 10_000 },
    ],
  };
  const layers: Record<string, Layer> = {
    checkout: {
      ...own,
      salt: 'layer/shop/checkout',
      holdouts: { q4: { salt: 'holdout/shop/checkout/q4', ranges: [[0, 500]] } },
    },
  };
  const running = (parts: Partial<RunningExperiment> = {}): RunningExperiment => ({
    key: 'shop/e',
    phase: 1,
    admission: { layer: 'checkout', ranges: [[0, 10_000]] },
    arms,
    ...parts,
  });
  const units = Array.from({ length: 400 }, (_, index) => `user-${index}`);

  test('draw admission by the layer and the arm by their phase', () => {
    for (const targetingKey of units) {
      const answer = ask(
        { experiments: [running({ admission: { layer: 'checkout', ranges: [[0, 3_000]] } })] },
        { targetingKey },
        0,
        layers,
      );
      if (bucketOf('layer/shop/checkout', targetingKey) >= 3_000) {
        expect(answer).toEqual(served('off', 'DEFAULT'));
        continue;
      }
      const bucket = bucketOf('experiment/shop/e#1', targetingKey);
      const arm = bucket < 5_000 ? 'control' : 'treatment';
      expect(answer).toEqual({
        ...served(arm === 'control' ? 'off' : 'on', 'SPLIT', {
          experiment: 'shop/e',
          arm,
          phase: 1,
          layer: 'checkout',
          bucket,
        }),
        assignment: { experiment: 'shop/e', phase: 1, arm, unit: targetingKey },
      });
    }
  });

  test('of one layer exclude each other', () => {
    const experiments = [
      running({ key: 'shop/a', admission: { layer: 'checkout', ranges: [[0, 4_000]] } }),
      running({ key: 'shop/b', admission: { layer: 'checkout', ranges: [[4_000, 8_000]] } }),
    ];
    const met = new Map<unknown, number>();
    for (const targetingKey of units) {
      const { metadata } = ask({ experiments }, { targetingKey }, 0, layers);
      met.set(metadata.experiment, (met.get(metadata.experiment) ?? 0) + 1);
    }
    expect([...met.keys()].sort()).toEqual(['shop/a', 'shop/b', undefined]);
  });

  test('come before rules, and those outside their audience or admission go on to the rules', () => {
    const experiments = [
      running({
        when: { attr: 'country', op: 'eq', value: 'DE' },
        admission: { ...own, salt: 'experiment/shop/e', ranges: [[0, 10_000]] },
      }),
    ];
    const rules = [ruleWith()];
    expect(ask({ experiments, rules }, { targetingKey: 'u', country: 'DE' })).toMatchObject({ reason: 'SPLIT' });
    expect(ask({ experiments, rules }, { targetingKey: 'u' })).toMatchObject({ metadata: { ruleId: 'rule' } });
  });

  test('need their unit', () => {
    expect(ask({ experiments: [running()] }, {}, 0, layers)).toMatchObject({ errorCode: 'TARGETING_KEY_MISSING' });
    expect(ask({ experiments: [running()], rules: [ruleWith()] }, {}, 0, layers)).toMatchObject({
      metadata: { ruleId: 'rule', unitMissing: true },
    });
  });

  describe('under a holdout', () => {
    const held: HeldOut = { layer: 'checkout', holdout: 'q4', variant: 'off', experiment: 'shop/e', phase: 1 };
    const [inside, outside] = [true, false].map((wanted) =>
      units.find((unit) => bucketOf('holdout/shop/checkout/q4', unit) < 500 === wanted),
    ) as [string, string];
    const flag = { holdouts: [held], experiments: [running()], rules: [ruleWith()] };

    test('give held units the variant of control, and say whose', () => {
      const bucket = bucketOf('holdout/shop/checkout/q4', inside);
      expect(ask(flag, { targetingKey: inside }, 0, layers)).toEqual({
        ...served('off', 'SPLIT', {
          layer: 'checkout',
          holdout: 'q4',
          bucket,
          experiment: 'shop/e',
          phase: 1,
          arm: 'holdout',
        }),
        assignment: { experiment: 'shop/e', phase: 1, arm: 'holdout', unit: inside },
      });
      expect(ask(flag, { targetingKey: outside }, 0, layers)).toMatchObject({
        metadata: { arm: expect.not.stringMatching('holdout') },
      });
    });

    test('hold after the experiment has ended too, without an exposure', () => {
      const shipped = { holdouts: [{ layer: 'checkout', holdout: 'q4', variant: 'off' }], rules: [ruleWith()] };
      expect(ask(shipped, { targetingKey: inside }, 0, layers)).toMatchObject({
        variant: 'off',
        assignment: undefined,
      });
      expect(ask(shipped, { targetingKey: outside }, 0, layers)).toMatchObject({ variant: 'on' });
    });

    test('come after overrides and before prerequisites', () => {
      const parts = { ...flag, overrides: [{ units: [inside], variant: 'on' }] };
      expect(ask(parts, { targetingKey: inside }, 0, layers)).toEqual(served('on', 'TARGETING_MATCH'));
      const unmet = { ...flag, prerequisites: [{ flag: 'gone', variants: [] }] };
      expect(ask(unmet, { targetingKey: inside }, 0, layers)).toMatchObject({ metadata: { holdout: 'q4' } });
      expect(ask(unmet, { targetingKey: outside }, 0, layers)).toMatchObject({ metadata: { prerequisite: 'gone' } });
    });

    test('say when the unit is missing, and do not make it a must', () => {
      const shipped = { holdouts: [{ layer: 'checkout', holdout: 'q4', variant: 'off' }] };
      expect(ask(shipped, {}, 0, layers)).toEqual(served('off', 'STATIC', { unitMissing: true }));
    });
  });
});

describe('time', () => {
  test('is asked of the caller, and the ruleset lists where answers may change', () => {
    const compiled = compiledWith({
      a: flagWith({
        rules: [
          ruleWith({ when: { all: [{ time: { after: '2026-12-01T08:00:00Z', before: '2026-12-24T00:00:00Z' } }] } }),
        ],
      }),
      b: flagWith({ segments: { late: { not: { time: { before: '2026-12-01T09:00:00+01:00' } } } } }),
    });
    expect(
      timeBoundaries({ a: flagWith({ rules: [ruleWith({ when: { time: { before: '2026-12-24T00:00:00Z' } } })] }) }),
    ).toEqual(['2026-12-24T00:00:00Z']);
    const launch = Date.parse('2026-12-01T08:00:00Z');
    expect(compiled.timeBoundariesMs).toEqual([launch, Date.parse('2026-12-24T00:00:00Z')]);
    expect(evaluate(compiled, 'a', {}, launch - 1)).toMatchObject({ variant: 'off' });
    expect(evaluate(compiled, 'a', {}, launch)).toMatchObject({ variant: 'on' });
    expect(evaluate(compiled, 'a', {}, Number.NaN)).toMatchObject({ variant: 'off' });
  });
});
