import { expect, test } from 'vitest';
import { parsedRollout, parsedStatus } from '../../../../src/controllers/rollout/parsed.ts';
import { fullRollout } from '../../../support/manifests.ts';

test('an object is read once as long as it is the same', () => {
  const rollout = fullRollout();
  expect(parsedRollout(rollout)).toBe(parsedRollout(rollout));
  expect(parsedStatus(rollout)).toBe(parsedStatus(rollout));
});

test('what changed is read anew', () => {
  const before = { ...fullRollout(), status: { phase: 'Healthy' } };
  const after = { ...fullRollout(), status: { phase: 'RolledBack' } };
  after.spec.paused = true;
  expect(parsedRollout(before)).toMatchObject({ rollout: { spec: { paused: false } } });
  expect(parsedRollout(after)).toMatchObject({ rollout: { spec: { paused: true } } });
  expect(parsedStatus(before)).toMatchObject({ status: { phase: 'Healthy' } });
  expect(parsedStatus(after)).toMatchObject({ status: { phase: 'RolledBack' } });
});
