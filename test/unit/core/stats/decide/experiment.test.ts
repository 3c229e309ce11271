import { expect, test } from 'vitest';
import type { DurationMs } from '../../../../../src/base/units.ts';
import { decideExperiment } from '../../../../../src/core/stats/decide/experiment.ts';
import type {
  ArmGuardrail,
  ExperimentFacts,
  TreatmentResult,
} from '../../../../../src/core/stats/decide/experiment-facts.ts';
import type { PrimaryResult } from '../../../../../src/core/stats/decide/primary.ts';

const day = 86_400_000;
const days = (n: number) => (n * day) as DurationMs;

const win: PrimaryResult = { metric: 'orders', lower: 0.01, upper: 0.05, mde: 0.02, logE: 9 };
const lose: PrimaryResult = { metric: 'orders', lower: -0.05, upper: -0.01, mde: 0.02, logE: 9 };
const open: PrimaryResult = { metric: 'orders', lower: -0.03, upper: 0.05, mde: 0.02, logE: 0 };
const flat: PrimaryResult = { metric: 'orders', lower: -0.01, upper: 0.015, mde: 0.02, logE: -2 };

const guardrail = (logHarm: number, logSafe: number): ArmGuardrail => ({
  metric: 'errors',
  evidence: {
    sides: [
      {
        logHarm,
        logSevereHarm: logHarm,
        warmingUp: false,
        intervalsPointingToHarm: 9,
      },
    ],
    logSafe,
  },
});
const safe = guardrail(-3, 9);
const harmed = guardrail(20, -9);
const unknown = guardrail(0, 0);

const arm = (name: string, primaries: PrimaryResult[], guardrails: ArmGuardrail[] = [safe]): TreatmentResult => ({
  arm: name,
  primaries,
  guardrails,
});

const factsOf = (treatments: TreatmentResult[], part: Partial<ExperimentFacts> = {}): ExperimentFacts => ({
  elapsed: days(10),
  minDuration: days(7),
  maxDuration: days(28),
  sampleRatioP: 0.4,
  dataProblems: [],
  method: { kind: 'Sequential' },
  alpha: 0.05,
  harmAlpha: 0.05,
  safeAlpha: 0.05,
  exposures: [
    { arm: 'control', units: 5000, conversions: 500 },
    { arm: 'b', units: 5000, conversions: 520 },
  ],
  treatments,
  ...part,
});

const answer = (...args: Parameters<typeof factsOf>) => {
  const { decision, reason } = decideExperiment(factsOf(...args));
  return `${decision}: ${reason}`;
};

test.each<[string, TreatmentResult[], Partial<ExperimentFacts>, string]>([
  ['harm stops at any time', [arm('b', [win], [harmed])], { elapsed: days(1) }, 'Stop: GuardrailHarm'],
  ['harm stops before validity is asked', [arm('b', [win], [harmed])], { sampleRatioP: 0 }, 'Stop: GuardrailHarm'],
  ['a sample ratio mismatch beats a win', [arm('b', [win])], { sampleRatioP: 0.0009 }, 'Invalid: SampleRatioMismatch'],
  ['a warning of it does not', [arm('b', [win])], { sampleRatioP: 0.002 }, 'Ship: PrimariesWinAndGuardrailsSafe'],
  ['bad data beat a win', [arm('b', [win])], { dataProblems: ['units in two arms'] }, 'Invalid: DataQuality'],
  [
    'nothing ships before the least duration',
    [arm('b', [win])],
    { elapsed: days(6) },
    'KeepRunning: BeforeMinDuration',
  ],
  ['a win with safe guardrails ships', [arm('b', [win])], {}, 'Ship: PrimariesWinAndGuardrailsSafe'],
  ['a win with a guardrail that is not known does not', [arm('b', [win], [unknown])], {}, 'KeepRunning: NotResolved'],
  [
    'a win with a guardrail without data does not',
    [arm('b', [win], [{ metric: 'errors', evidence: undefined }])],
    {},
    'KeepRunning: NotResolved',
  ],
  [
    'one of two primaries is not all',
    [arm('b', [win, { ...open, metric: 'revenue' }])],
    {},
    'KeepRunning: NotResolved',
  ],
  ['a loss stops', [arm('b', [lose])], {}, 'Stop: PrimaryLoses'],
  ['a loss beside a win goes on', [arm('b', [lose, { ...win, metric: 'revenue' }])], {}, 'KeepRunning: NotResolved'],
  ['a loss beside an unknown stops', [arm('b', [lose, { ...open, metric: 'revenue' }])], {}, 'Stop: PrimaryLoses'],
  ['inside ± mde and safe is equivalent', [arm('b', [flat])], {}, 'Iterate: Equivalent'],
  ['inside ± mde and not known safe is not', [arm('b', [flat], [unknown])], {}, 'KeepRunning: NotResolved'],
  ['time is up without an answer', [arm('b', [open])], { elapsed: days(28) }, 'Iterate: Unresolved'],
  [
    'a win on the last day still ships',
    [arm('b', [win])],
    { elapsed: days(28) },
    'Ship: PrimariesWinAndGuardrailsSafe',
  ],
  ['else it goes on', [arm('b', [open])], {}, 'KeepRunning: NotResolved'],
  ['trap 7: no primary metric is never decided', [arm('b', [])], {}, 'KeepRunning: NoPrimaryMetric'],
  ['trap 7: not even when time is up', [arm('b', [])], { elapsed: days(30) }, 'KeepRunning: NoPrimaryMetric'],
  ['trap 7: no treatment arms are never decided', [], {}, 'KeepRunning: NoPrimaryMetric'],
  ['no primary metric does not hide harm', [arm('b', [], [harmed])], {}, 'Stop: GuardrailHarm'],
  ['one arm without primaries spoils "all"', [arm('b', [win]), arm('c', [])], {}, 'KeepRunning: NoPrimaryMetric'],
  [
    'trap 7: without guardrails there is nothing to prove',
    [arm('b', [win], [])],
    {},
    'Ship: PrimariesWinAndGuardrailsSafe',
  ],
  [
    'one losing arm of two does not stop the other',
    [arm('b', [lose]), arm('c', [open])],
    {},
    'KeepRunning: NotResolved',
  ],
  ['two losing arms do', [arm('b', [lose]), arm('c', [lose])], {}, 'Stop: PrimaryLoses'],
])('%s', (_, treatments, part, expected) => {
  expect(answer(treatments, part)).toBe(expected);
});

test('of several winners the one with the largest lower bound ships', () => {
  const better = { ...win, lower: 0.03, upper: 0.06 };
  const decision = decideExperiment(factsOf([arm('b', [win]), arm('c', [better]), arm('d', [win])]));
  expect(decision).toMatchObject({ decision: 'Ship', arm: 'c' });
  const unsafeBest = decideExperiment(factsOf([arm('b', [win]), arm('c', [better], [unknown])]));
  expect(unsafeBest).toMatchObject({ decision: 'Ship', arm: 'b' });
});

test('burn-in: nothing is read from 99 units or 24 conversions in one arm', () => {
  const exposures = (units: number, conversions: number | undefined) => [
    { arm: 'control', units: 5000, conversions: 500 },
    { arm: 'b', units, conversions },
  ];
  for (const treatments of [[arm('b', [win])], [arm('b', [lose])], [arm('b', [flat])]]) {
    expect(answer(treatments, { exposures: exposures(99, 50) })).toBe('KeepRunning: NotResolved');
    expect(answer(treatments, { exposures: exposures(5000, 24) })).toBe('KeepRunning: NotResolved');
    expect(answer(treatments, { exposures: [] })).toBe('KeepRunning: NotResolved');
    expect(answer(treatments, { exposures: exposures(100, 25) })).not.toBe('KeepRunning: NotResolved');
    expect(answer(treatments, { exposures: exposures(100, undefined) })).not.toBe('KeepRunning: NotResolved');
  }
});

test('trap 18: more arms and primaries need more evidence for the first win', () => {
  const weak = { ...win, logE: Math.log(25) };
  expect(answer([arm('b', [weak])])).toMatch('Ship');
  expect(answer([arm('b', [weak]), arm('c', [open])])).toMatch('KeepRunning');
  expect(answer([arm('b', [weak]), arm('c', [weak])])).toMatch('Ship');
});

test('a fixed horizon has no result before it is reached, and then Holm decides', () => {
  const result = (pValue: number): PrimaryResult => ({ metric: 'orders', lower: 0.01, upper: 0.05, mde: 0.02, pValue });
  const method = (reached: boolean) => ({ method: { kind: 'FixedHorizon' as const, reached } });
  expect(answer([arm('b', [result(0.001)])], method(false))).toMatch('KeepRunning');
  expect(answer([arm('b', [result(0.04)])], method(true))).toMatch('Ship');
  expect(answer([arm('b', [result(0.04)]), arm('c', [{ ...result(0.5), lower: -0.1 }])], method(true))).toMatch(
    'KeepRunning',
  );
  const early = decideExperiment(factsOf([arm('b', [result(0.001)])], method(false)));
  expect(early.record.alphaSpent).toMatchObject({ primaries: 0 });
});

test('evidence of the past does not ship against the present interval', () => {
  expect(answer([arm('b', [{ ...open, logE: 50 }])])).toMatch('KeepRunning');
});

test('harm is shared over arms times guardrails', () => {
  const borderline = guardrail(Math.log(30), 0);
  expect(answer([arm('b', [open], [borderline])])).toMatch('Stop');
  expect(answer([arm('b', [open], [borderline]), arm('c', [open], [safe])])).toMatch('KeepRunning');
});

test('a decision says what is missing and how long it may still run', () => {
  const decision = decideExperiment(factsOf([arm('b', [open], [unknown])]));
  expect(decision).toMatchObject({
    timeLeft: days(18),
    missing: ['b/orders: Unknown', 'b/errors: NotEnoughEvidence'],
  });
  expect(decideExperiment(factsOf([arm('b', [open])], { elapsed: days(40) })).timeLeft).toBe(0);
  expect(decideExperiment(factsOf([arm('b', [win])])).missing).toEqual([]);
});

test('the record replays the decision from JSON', () => {
  const decision = decideExperiment(
    factsOf([
      arm(
        'b',
        [win, flat].map((p, i) => ({ ...p, metric: `m${i}` })),
      ),
      arm('c', [open]),
    ]),
  );
  expect(decideExperiment(JSON.parse(JSON.stringify(decision.record.facts)) as ExperimentFacts)).toEqual(decision);
});

test('bad numbers are refused', () => {
  const refused = (primary: PrimaryResult, part: Partial<ExperimentFacts> = {}) =>
    expect(() => decideExperiment(factsOf([arm('b', [primary])], part))).toThrow('SLUICE_STATS_ARGUMENT');
  refused({ ...win, lower: Number.NaN });
  refused({ ...win, lower: 0.1 });
  refused({ ...win, mde: 0 });
  refused({ ...win, logE: Number.NaN });
  refused({ metric: 'm', lower: 0, upper: 1, mde: 1, pValue: 0.1 });
  refused(win, { method: { kind: 'FixedHorizon', reached: true } });
  refused(win, { alpha: 0 });
  refused(win, { sampleRatioP: Number.NaN });
  refused(win, { elapsed: Number.NaN as DurationMs });
});

const another = (primary: PrimaryResult): PrimaryResult => ({ ...primary, metric: 'revenue' });
const fixed = (reached: boolean): Partial<ExperimentFacts> => ({ method: { kind: 'FixedHorizon', reached } });

test.each<[string, TreatmentResult[], Partial<ExperimentFacts>, string]>([
  ['the least duration is enough', [arm('b', [win])], { elapsed: days(7) }, 'Ship: PrimariesWinAndGuardrailsSafe'],
  [
    'a sample ratio at the threshold fits',
    [arm('b', [win])],
    { sampleRatioP: 0.001 },
    'Ship: PrimariesWinAndGuardrailsSafe',
  ],
  ['one flat primary of two is not equivalence', [arm('b', [flat, another(open)])], {}, 'KeepRunning: NotResolved'],
  [
    'one safe arm of two is not equivalence',
    [arm('b', [flat]), arm('c', [flat], [unknown])],
    {},
    'KeepRunning: NotResolved',
  ],
  [
    'an interval that begins at −mde is not inside',
    [arm('b', [{ ...flat, lower: -0.02 }])],
    {},
    'KeepRunning: NotResolved',
  ],
  [
    'an interval that ends at mde is not inside',
    [arm('b', [{ ...flat, upper: 0.02 }])],
    {},
    'KeepRunning: NotResolved',
  ],
  ['an interval far below is not inside', [arm('b', [{ ...flat, lower: -0.3 }])], {}, 'KeepRunning: NotResolved'],
  [
    'an interval of one point is an interval',
    [arm('b', [{ ...flat, lower: 0.01, upper: 0.01 }])],
    {},
    'Iterate: Equivalent',
  ],
  ['evidence with an interval from 0 does not win', [arm('b', [{ ...win, lower: 0 }])], {}, 'KeepRunning: NotResolved'],
  ['evidence with an interval to 0 does not lose', [arm('b', [{ ...lose, upper: 0 }])], {}, 'KeepRunning: NotResolved'],
  [
    'a fixed p-value of alpha wins',
    [arm('b', [{ ...win, pValue: 0.05 }])],
    fixed(true),
    'Ship: PrimariesWinAndGuardrailsSafe',
  ],
])('%s', (_what, treatments, part, expected) => {
  expect(answer(treatments, part)).toBe(expected);
});

test('only what is open or unsafe is missing, and nothing once it is decided', () => {
  const mixed = [arm('b', [win, another(open)], [safe, { ...unknown, metric: 'latency' }])];
  expect(decideExperiment(factsOf(mixed)).missing).toEqual(['b/revenue: Unknown', 'b/latency: NotEnoughEvidence']);
  expect(decideExperiment(factsOf([arm('b', [win]), arm('c', [open], [unknown])]))).toMatchObject({
    decision: 'Ship',
    arm: 'b',
    missing: [],
  });
  expect(decideExperiment(factsOf([arm('b', [open], [harmed]), arm('c', [open], [unknown])]))).toMatchObject({
    decision: 'Stop',
    arms: ['b'],
    missing: [],
  });
});

test('of winners that are equally sure the first ships', () => {
  expect(decideExperiment(factsOf([arm('b', [win]), arm('c', [win])]))).toMatchObject({ decision: 'Ship', arm: 'b' });
});

test('primaries that may not be read yet are unknown and inside nothing', () => {
  const early: Partial<ExperimentFacts> = { exposures: [{ arm: 'control', units: 99, conversions: undefined }] };
  for (const part of [fixed(false), early]) {
    expect(decideExperiment(factsOf([arm('b', [{ ...flat, pValue: 0.001 }])], part)).primaries).toEqual([
      { arm: 'b', metric: 'orders', state: 'Unknown', insideMde: false },
    ]);
  }
});

test.each<[string, TreatmentResult[], Partial<ExperimentFacts>]>([
  ['alpha must be inside (0, 1)', [], { alpha: 1, ...fixed(false) }],
  ['harmAlpha must be inside (0, 1)', [], { harmAlpha: 0 }],
  ['safeAlpha must be inside (0, 1)', [], { safeAlpha: 1 }],
  ['metric orders has no pValue, which its method needs', [arm('b', [win])], fixed(true)],
  ['pValue must be inside [0, 1]', [arm('b', [{ ...win, pValue: 1.5 }])], fixed(true)],
])('refused: %s', (message, treatments, part) => {
  expect(() => decideExperiment(factsOf(treatments, part))).toThrow(`SLUICE_STATS_ARGUMENT: ${message}`);
});
