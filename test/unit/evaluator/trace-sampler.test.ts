import { expect, test } from 'vitest';
import { samplerOf } from '../../../src/evaluator/trace-sampler.ts';

test.each([
  [undefined, undefined, 'ParentBased{root=AlwaysOnSampler'],
  ['always_off', undefined, 'AlwaysOffSampler'],
  ['always_on', undefined, 'AlwaysOnSampler'],
  ['traceidratio', '0.25', 'TraceIdRatioBased{0.25}'],
  ['parentbased_traceidratio', '0.1', 'ParentBased{root=TraceIdRatioBased{0.1}'],
  ['parentbased_always_off', undefined, 'ParentBased{root=AlwaysOffSampler'],
])('OTEL_TRACES_SAMPLER=%s with argument %s', (name, argument, expected) => {
  expect(samplerOf(name, argument).toString()).toContain(expected);
});

test.each([
  ['sometimes', '1'],
  ['parentbased_sometimes', '1'],
  ['traceidratio', '2'],
  ['traceidratio', ''],
  ['traceidratio', 'x'],
])('%s with argument %j is refused by a code', (name, argument) => {
  expect(() => samplerOf(name, argument)).toThrow(/^SLUICE_SIDECAR_ARGUMENT: OTEL_TRACES_SAMPLER/);
});
