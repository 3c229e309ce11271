import { expect, test } from 'vitest';
import type { Answer } from '../../../src/core/evaluation/answer.ts';
import { EvaluationCounts } from '../../../src/evaluator/evaluation-counts.ts';

const served = (variant: string): Answer => ({
  kind: 'Served',
  variant,
  value: true,
  reason: 'STATIC',
  metadata: { flagSetId: 'shop', version: '1' },
  assignment: undefined,
  form: {},
});
const unknown = {
  kind: 'Failed',
  errorCode: 'FLAG_NOT_FOUND',
  metadata: { flagSetId: 'shop', version: '1' },
} as Answer;

test('keys are taken once for each time in which their flag was asked for', () => {
  const counts = new EvaluationCounts();
  expect(counts.takeEvaluated()).toEqual([]);
  for (const variant of ['on', 'off']) counts.count('a', served(variant));
  counts.count('b', served('on'));
  expect(counts.takeEvaluated()).toEqual(['a', 'b']);
  expect(counts.takeEvaluated()).toEqual([]);
  counts.count('b', served('on'));
  expect(counts.takeEvaluated()).toEqual(['b']);
});

test('keys that no flag has are never taken, nor those of flags that are gone', () => {
  const counts = new EvaluationCounts();
  counts.count('invented', unknown);
  counts.count('a', served('on'));
  counts.keepOnly(new Map());
  expect(counts.takeEvaluated()).toEqual([]);
});

test('a flag that is gone and comes back is taken at its first evaluation', () => {
  const counts = new EvaluationCounts();
  counts.count('a', served('on'));
  expect(counts.takeEvaluated()).toEqual(['a']);
  counts.keepOnly(new Map());
  counts.count('a', served('on'));
  expect(counts.takeEvaluated()).toEqual(['a']);
});
