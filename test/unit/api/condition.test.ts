import { expect, test } from 'vitest';
import { type Condition, withConditions } from '../../../src/api/condition.ts';
import type { EpochMs } from '../../../src/base/units.ts';

const EARLIER = 1_000 as EpochMs;
const NOW = 2_000 as EpochMs;
const ready: Condition = {
  type: 'Ready',
  status: 'True',
  observedGeneration: 1,
  lastTransitionTime: EARLIER,
  reason: 'Serving',
  message: 'All is well.',
};

test('the transition time moves only when the status does', () => {
  const claim = { type: 'Ready', status: 'True' as const, reason: 'StillServing', message: 'All is still well.' };
  expect(withConditions([ready], [claim], 2, NOW)).toEqual([
    { ...claim, observedGeneration: 2, lastTransitionTime: EARLIER },
  ]);
  const lost = { ...claim, status: 'False' as const };
  expect(withConditions([ready], [lost], 2, NOW)).toEqual([
    { ...lost, observedGeneration: 2, lastTransitionTime: NOW },
  ]);
});

test('conditions that nobody claims stay, and all are sorted by type', () => {
  const claim = { type: 'Accepted', status: 'True' as const, reason: 'Valid', message: '' };
  expect(withConditions([ready], [claim], 2, NOW)).toEqual([
    { ...claim, observedGeneration: 2, lastTransitionTime: NOW },
    ready,
  ]);
});
