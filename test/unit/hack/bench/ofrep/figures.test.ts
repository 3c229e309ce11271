import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { compare, type Run } from '../../../../../hack/bench/ofrep/compare.ts';
import { bodies, FLAG_COUNT, flagdFlags, SINGLE_KEY, sluiceFlags } from '../../../../../hack/bench/ofrep/flags.ts';
import { readReport, scriptOf } from '../../../../../hack/bench/ofrep/wrk.ts';
import { readFlag } from '../../../../../src/core/flags/flag-source.ts';

const runWith = (perSecond: number, p99Ms = 1): Run => ({
  perSecond,
  p50Ms: 0.5,
  p99Ms,
  maxMs: 2 * p99Ms,
  failed: 0,
  cpuUs: 50,
});

test('what is compared is each round by itself, so that a slow moment of the machine is both’s', () => {
  const rounds = [
    { ours: runWith(20_000, 1), peer: runWith(10_000, 4) },
    { ours: runWith(2_000, 9), peer: runWith(1_000, 36) },
    { ours: runWith(21_000, 1), peer: runWith(7_000, 5) },
  ];
  expect(compare(rounds)).toEqual({
    measured: { perSecond: 20_000, p50Ms: 0.5, p99Ms: 1, maxMs: 18, failed: 0, cpuUs: 50 },
    peer: { perSecond: 7_000, p50Ms: 0.5, p99Ms: 5, maxMs: 72, failed: 0, cpuUs: 50 },
    timesPeer: 2,
    p99Share: 0.25,
  });
});

test('without a peer nothing is compared', () => {
  const { measured, peer, timesPeer, p99Share } = compare([{ ours: runWith(5), peer: undefined }]);
  expect([measured.perSecond, peer, timesPeer, p99Share]).toEqual([5, undefined, undefined, undefined]);
});

test('wrk’s line is read among what else it says; it counts in microseconds', () => {
  const text = 'Running 1s test\n  Requests/sec: 1\nsluice-bench 20000 2000000 840 10900 31000 2\n';
  expect(readReport(text)).toEqual({ perSecond: 10_000, p50Ms: 0.84, p99Ms: 10.9, maxMs: 31, failed: 2 });
  for (const bad of ['', 'sluice-bench 1 2', 'sluice-bench a b c d e f']) expect(() => readReport(bad)).toThrow('wrk');
});

test('the script posts each body as it is', () => {
  const script = scriptOf('/p', ['{"a":"]]"}', '{}']);
  expect(script).toContain('wrk.format("POST", "/p", headers, [==[{"a":"]]"}]==])');
  expect(script.split('wrk.format')).toHaveLength(3);
});

test('both servers get the same flags, ours as FeatureFlags that are accepted', () => {
  const objects = parseAllDocuments(sluiceFlags()).map((document) => document.toJS());
  expect(objects.map((object) => readFlag(object).source.current.ok)).toEqual(Array(FLAG_COUNT).fill(true));
  const keys = objects.map(({ metadata }) => metadata.name);
  expect(Object.keys(parse(flagdFlags()).flags)).toEqual(keys);
  expect(keys).toContain(SINGLE_KEY);
});

test('users differ, and are the same in every run', () => {
  expect(new Set(bodies()).size).toBe(1_000);
  expect(bodies()).toEqual(bodies());
});
