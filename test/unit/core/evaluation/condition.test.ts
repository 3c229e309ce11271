import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flagProblems } from '../../../../src/core/evaluation/compile.ts';
import { compileCondition, type Scope, scopeOf } from '../../../../src/core/evaluation/condition.ts';
import type { Condition } from '../../../../src/wire/condition.ts';
import { flagWith, ruleWith } from '../../../support/ruleset.ts';

const NAMES = ['false', 'true', 'unknown'] as const;

/** What a condition says of a context. */
function truth(
  condition: Condition,
  context: Record<string, unknown> = {},
  nowMs = 0,
  segments: Scope['segments'] = {},
) {
  return NAMES[
    compileCondition(
      scopeOf(segments, () => {}),
      condition,
      [],
    ).test(context, nowMs)
  ];
}

const T: Condition = { all: [] };
const F: Condition = { any: [] };
const U: Condition = { attr: 'absent', op: 'eq', value: 1 };
const byName = { true: T, false: F, unknown: U };

describe('Kleene logic', () => {
  test.each([
    ['true', 'true', 'true', 'true'],
    ['true', 'false', 'false', 'true'],
    ['true', 'unknown', 'unknown', 'true'],
    ['false', 'false', 'false', 'false'],
    ['false', 'unknown', 'false', 'unknown'],
    ['unknown', 'unknown', 'unknown', 'unknown'],
  ] as const)('%s and %s make %s for all and %s for any', (one, other, all, any) => {
    for (const pair of [
      [byName[one], byName[other]],
      [byName[other], byName[one]],
    ]) {
      expect(truth({ all: pair })).toBe(all);
      expect(truth({ any: pair })).toBe(any);
      // Three members take another path than two.
      expect(truth({ all: [...pair, T] })).toBe(all);
      expect(truth({ any: [...pair, F] })).toBe(any);
    }
  });

  test('of nothing, all is true and any is false', () => {
    expect([truth(T), truth(F)]).toEqual(['true', 'false']);
  });

  test('not unknown is unknown', () => {
    expect([T, F, U].map((inner) => truth({ not: inner }))).toEqual(['false', 'true', 'unknown']);
  });

  test('obeys the laws of De Morgan', () => {
    const leaf = fc.constantFrom(T, F, U);
    const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('tree'), { maxLength: 4 }).map((all) => ({ all })),
        fc.array(tie('tree'), { maxLength: 4 }).map((any) => ({ any })),
        tie('tree').map((not) => ({ not })),
      ),
    }));
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 5 }), (parts) => {
        expect(truth({ not: { all: parts } })).toBe(truth({ any: parts.map((not) => ({ not })) }));
        expect(truth({ not: { not: { any: parts } } })).toBe(truth({ any: parts }));
      }),
    );
  });
});

type Row = [op: string, value: unknown, attribute: unknown, expected: (typeof NAMES)[number]];
const rows: Row[] = [
  ['eq', 'a', 'a', 'true'],
  ['eq', 'a', 'A', 'false'],
  ['eq', 'a', 1, 'unknown'],
  ['eq', 1, 1, 'true'],
  ['eq', 1, '1', 'unknown'],
  ['eq', 1, Number.NaN, 'unknown'],
  ['eq', true, true, 'true'],
  ['eq', false, true, 'false'],
  ['eq', true, 'true', 'unknown'],
  ['eq', 'a', null, 'unknown'],
  ['eq', 'a', ['a'], 'unknown'],
  ['in', ['DE', 'AT'], 'AT', 'true'],
  ['in', ['DE', 'AT'], 'CH', 'false'],
  ['in', ['DE', 'AT'], 1, 'unknown'],
  ['in', ['DE', 1], 2, 'false'],
  ['in', [], 'x', 'false'],
  ['in', ['1', '2', '3', '4', '5', '6', '7', '8', '9'], '9', 'true'],
  ['in', ['1', '2', '3', '4', '5', '6', '7', '8', '9'], 'x', 'false'],
  ['lt', 5, 4.9, 'true'],
  ['lt', 5, 5, 'false'],
  ['le', 5, 5, 'true'],
  ['gt', 5, 5, 'false'],
  ['gt', 5, 6, 'true'],
  ['ge', 5, 5, 'true'],
  ['ge', 5, '6', 'unknown'],
  ['lt', 5, Number.NaN, 'unknown'],
  ['gt', 5, Number.POSITIVE_INFINITY, 'unknown'],
  ['gt', -1e308, 1e308, 'true'],
  ['before', '2026-12-01T00:00:00Z', '2026-11-30T23:59:59.999Z', 'true'],
  ['before', '2026-12-01T00:00:00Z', '2026-12-01T00:00:00Z', 'false'],
  ['before', '2026-12-01T00:00:00Z', '2026-12-01T00:30:00+01:00', 'true'],
  ['after', '2026-12-01T00:00:00Z', '2026-12-01T00:00:00Z', 'false'],
  ['after', '2026-12-01T00:00:00Z', '2026-12-01T00:00:00.001Z', 'true'],
  ['after', '2026-12-01T00:00:00Z', 'tomorrow', 'unknown'],
  ['after', '2026-12-01T00:00:00Z', 1_800_000_000_000, 'unknown'],
  ['after', '2026-12-01T00:00:00Z', '2026-13-01T00:00:00Z', 'unknown'],
  ['after', '2026-12-01T00:00:00Z', '999999-01-01T00:00:00Z', 'unknown'],
  ['semverEq', '1.2.3', '1.2.3+build.5', 'true'],
  ['semverEq', '1.2.3', '1.2.4', 'false'],
  ['semverEq', '1.2.3', 'v1.2.3', 'unknown'],
  ['semverEq', '1.2.3', '1.2', 'unknown'],
  ['semverEq', '1.2.3', '01.2.3', 'unknown'],
  ['semverLt', '1.0.0', '1.0.0-rc.1', 'true'],
  ['semverLt', '1.0.0-rc.10', '1.0.0-rc.9', 'true'],
  ['semverLt', '1.0.0-rc.1', '1.0.0-rc', 'true'],
  ['semverLt', '1.0.0-beta', '1.0.0-1', 'true'],
  ['semverLe', '1.10.0', '1.9.0', 'true'],
  ['semverGt', '1.9.0', '1.10.0', 'true'],
  ['semverGe', '99999999999999999999.0.0', '99999999999999999998.0.0', 'false'],
  ['semverGe', '1.0.0', '2.0.0-alpha..1', 'unknown'],
  ['startsWith', 'ab', 'abc', 'true'],
  ['startsWith', 'ab', 'ABC', 'false'],
  ['endsWith', '@shop.example', 'a@shop.example', 'true'],
  ['endsWith', 'x', 5, 'unknown'],
  ['contains', 'b', 'abc', 'true'],
  ['contains', '', '', 'true'],
  ['matches', '^a+$', 'aaa', 'true'],
  ['matches', 'a+', 'xxaxx', 'true'],
  ['matches', '(?i)^shop$', 'SHOP', 'true'],
  ['matches', '^a+$', 'b', 'false'],
  ['matches', 'a', 1, 'unknown'],
  ['matches', 'a', 'a'.repeat(1_025), 'unknown'],
  ['inCidr', '10.0.0.0/8', '10.1.2.3', 'true'],
  ['inCidr', ['10.0.0.0/8', '192.168.1.0/24'], '192.168.1.77', 'true'],
  ['inCidr', '10.0.0.0/8', '11.0.0.1', 'false'],
  ['inCidr', '0.0.0.0/0', '255.255.255.255', 'true'],
  ['inCidr', '128.0.0.0/1', '255.0.0.1', 'true'],
  ['inCidr', '10.0.0.1', '10.0.0.1', 'true'],
  ['inCidr', '10.0.0.1/32', '10.0.0.2', 'false'],
  ['inCidr', '10.0.0.0/8', '2001:db8::1', 'false'],
  ['inCidr', '2001:db8::/32', '2001:DB8:0:1::ffff', 'true'],
  ['inCidr', '2001:db8::/33', '2001:db8:8000::', 'false'],
  ['inCidr', '::/0', '::1', 'true'],
  ['inCidr', '10.0.0.0/8', '::ffff:10.1.2.3', 'true'],
  ['inCidr', '10.0.0.0/8', '10.1.2', 'unknown'],
  ['inCidr', '10.0.0.0/8', '10.01.2.3', 'unknown'],
  ['inCidr', '10.0.0.0/8', '10.0.0.256', 'unknown'],
  ['inCidr', '::/0', '1::2::3', 'unknown'],
  ['inCidr', '::/0', '1:2:3:4:5:6:7:8:9', 'unknown'],
  ['inCidr', '::/0', '1:2:3:4:5:6:7', 'unknown'],
  ['inCidr', '::/0', 'fe80::1%eth0', 'unknown'],
  ['anyOf', ['a', 'b'], ['x', 'b'], 'true'],
  ['anyOf', ['a'], ['x'], 'false'],
  ['anyOf', ['a'], 'a', 'unknown'],
  ['anyOf', ['a'], [], 'false'],
  ['anyOf', [1], ['1'], 'false'],
  ['allOf', ['a', 'b'], ['b', 'x', 'a'], 'true'],
  ['allOf', ['a', 'b'], ['a', 'a'], 'false'],
  ['allOf', [], [], 'true'],
  ['noneOf', ['a'], ['b', null, {}], 'true'],
  ['noneOf', ['a'], ['a'], 'false'],
  ['noneOf', ['a'], undefined, 'unknown'],
];

describe('operators', () => {
  test.each(rows)('%s %j of %j is %s', (op, value, attribute, expected) => {
    expect(truth({ attr: 'a', op, value } as Condition, { a: attribute })).toBe(expected);
  });

  test.each(['startsWith', 'endsWith', 'contains'] as const)('%s may ignore case', (op) => {
    expect(truth({ attr: 'a', op, value: 'ÄB', ignoreCase: true }, { a: 'äb' })).toBe('true');
    expect(truth({ attr: 'a', op, value: 'ÄB', ignoreCase: false }, { a: 'äb' })).toBe('false');
  });

  test('exists is never unknown, and sees own values only', () => {
    const exists = (attr: string, context: Record<string, unknown>) => truth({ attr, op: 'exists' }, context);
    expect([exists('a', { a: 0 }), exists('a', { a: '' }), exists('a', { a: null }), exists('a', {})]).toEqual([
      'true',
      'true',
      'false',
      'false',
    ]);
    expect([exists('constructor', {}), exists('__proto__', {}), exists('toString', {})]).toEqual([
      'false',
      'false',
      'false',
    ]);
    expect(exists('__proto__', JSON.parse('{"__proto__": 1}'))).toBe('true');
  });

  test('a name of the prototype is an absent attribute', () => {
    for (const attr of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(truth({ attr, op: 'eq', value: 'x' })).toBe('unknown');
      expect(truth({ attr, op: 'anyOf', value: ['x'] })).toBe('unknown');
    }
  });

  test('take linear time for an attribute that is large', () => {
    const wanted = Array.from({ length: 5_000 }, (_, index) => `w${index}`);
    const large = Array.from({ length: 500_000 }, (_, index) => `x${index}`);
    for (const op of ['anyOf', 'allOf', 'noneOf'] as const) truth({ attr: 'a', op, value: wanted }, { a: large });
    expect(truth({ attr: 'a', op: 'matches', value: '(a+)+$' }, { a: `${'a'.repeat(1_000)}!` })).toBe('false');
  });
});

describe('time', () => {
  const window: Condition = { time: { after: '2026-12-01T08:00:00Z', before: '2026-12-24T00:00:00+01:00' } };
  test.each([
    ['2026-12-01T07:59:59.999Z', 'false'],
    ['2026-12-01T08:00:00Z', 'true'],
    ['2026-12-23T22:59:59.999Z', 'true'],
    ['2026-12-23T23:00:00Z', 'false'],
  ])('from after on, until before: at %s it is %s', (now, expected) => {
    expect(truth(window, {}, Date.parse(now))).toBe(expected);
  });
});

describe('segments', () => {
  test('stand for their condition, also within each other', () => {
    const segments: Scope['segments'] = {
      staff: { attr: 'email', op: 'endsWith', value: '@shop.example' },
      testers: { any: [{ segment: 'staff' }, { attr: 'tester', op: 'eq', value: true }] },
    };
    expect(truth({ segment: 'testers' }, { email: 'a@shop.example' }, 0, segments)).toBe('true');
    expect(truth({ not: { segment: 'testers' } }, {}, 0, segments)).toBe('unknown');
  });

  test('in a cycle, or missing, are unknown', () => {
    expect(truth({ segment: 'a' }, {}, 0, { a: { not: { segment: 'b' } }, b: { segment: 'a' } })).toBe('unknown');
    expect(truth({ segment: 'constructor' })).toBe('unknown');
  });

  test('that use each other again and again are refused instead of taking for ever', () => {
    const segments: Record<string, Condition> = { s0: T };
    for (let level = 1; level < 60; level++)
      segments[`s${level}`] = { all: [{ segment: `s${level - 1}` }, { segment: `s${level - 1}` }] };
    expect(truth({ segment: 's59' }, {}, 0, segments)).toBe('unknown');
  });
});

describe('flagProblems', () => {
  test('names every part that can never match', () => {
    const when = (condition: Condition, id: string) => ruleWith({ id, when: condition });
    const flag = flagWith({
      segments: { loop: { segment: 'loop' }, bad: { attr: 'a', op: 'inCidr', value: 'nowhere' } },
      rules: [
        when({ all: [{ attr: 'a', op: 'matches', value: '(?=x)' }] }, 'pattern'),
        when({ not: { attr: 'a', op: 'semverEq', value: '1.2' } }, 'version'),
        when({ segment: 'gone' }, 'segment'),
        when({ attr: 'a', op: 'matches', value: '\\pL{1000}' }, 'large'),
        when({ attr: 'a', op: 'before', value: '2026-02-30T00:00:00Z' }, 'date'),
      ],
    });
    expect(flagProblems('f', flag).map(({ path, message }) => `${path} ${message}`)).toEqual([
      'segments.loop.segment is in a cycle of segments: loop',
      'segments.bad.value has an entry that is no network like 10.0.0.0/8 or 2001:db8::/32',
      expect.stringMatching(/^rules\[0\]\.when\.all\[0\]\.value is no RE2 pattern: /),
      'rules[1].when.not.value is no semantic version like 1.2.3 or 1.2.3-rc.1',
      'rules[2].when.segment names no segment of this flag: gone',
      expect.stringMatching(/^rules\[3\]\.when\.value is too large: /),
      'rules[4].when.value is no RFC 3339 time',
    ]);
    expect(flagProblems('f', flagWith())).toEqual([]);
  });

  test('refuses patterns that would take long to compile, however small the outcome', () => {
    const messageOf = (value: string) =>
      flagProblems('f', flagWith({ rules: [ruleWith({ id: 'r', when: { attr: 'a', op: 'matches', value } })] })).map(
        ({ message }) => message,
      );
    const tooWide = ['is too large: ranges of more than 30000 characters in all, without regard to case'];
    expect(messageOf(`(?i)[${'B-\u{1E943}'.repeat(200)}]`)).toEqual(tooWide);
    expect(messageOf(`(?i)[${'B-\\x{1E943}'.repeat(60)}]`)).toEqual(tooWide);
    for (const wide of [
      '[]-\u{1E943}]',
      '[^]-\u{1E943}]',
      '[[:digit:]B-\u{1E943}]',
      '[\\]B-\u{1E943}]',
      '\\[[B-\u{1E943}]',
      '[^^-\u{1E943}]',
      '[\\d--\u{1E943}]',
      '\\Q[\\E[]B-\u{1E943}]',
    ])
      expect(messageOf(`(?i)${wide}`), wide).toEqual(tooWide);
    expect(messageOf(`(?s-m:x)(?mi)[^${'B-\uFFF0'.repeat(100)}]`)).toEqual(tooWide);
    expect(messageOf('\\pL'.repeat(33))).toEqual(['is too large: more than 32 classes like \\pL']);
    for (const fine of [
      '(?i)^[а-яё]+-[a-z]$',
      '[B-\u{1E943}]',
      '(?i)x-\u{1F600}',
      '(?i)^[a-z]+-金$',
      '(?i)[0-9]-한',
      '(?i)[]a]-한[^]b]-한',
      '(?i)[\\w.+-]+@[\\pL-]+',
      '\\pL'.repeat(32),
    ]) {
      expect(messageOf(fine), fine).toEqual([]);
    }
  });

  test('refuses the 65th pattern of a flag, wherever it stands', () => {
    const pattern: Condition = { attr: 'a', op: 'matches', value: 'x' };
    const problems = flagProblems(
      'f',
      flagWith({
        segments: { many: { any: Array.from({ length: 60 }, () => pattern) } },
        rules: Array.from({ length: 5 }, (_, index) => ruleWith({ id: `r${index}`, when: pattern })),
      }),
    );
    expect(problems.map(({ path, message }) => `${path} ${message}`)).toEqual([
      'rules[4].when.value is one pattern too many: a flag has at most 64',
    ]);
  });
});
