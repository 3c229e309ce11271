import { expect, test } from 'vitest';
import { parseRolloutStatus } from '../../../src/api/parse.ts';
import type { EpochMs } from '../../../src/base/units.ts';
import { NOTICE_MS, outcomeOf, type Waited } from '../../../src/cli/outcome.ts';
import type { Manifest } from '../../support/manifests.ts';
import { healthyStatus, holdingStatus, rolledBackStatus } from '../../support/rollout-status.ts';

const begun = 1_000_000 as EpochMs;
const later = (begun + NOTICE_MS) as EpochMs;
const waited: Waited = { generation: 4, since: begun };
const following = (hash: string, generation = 4): Waited => ({ ...waited, flight: { hash, generation } });

function outcome(status: Manifest, held: boolean, from: Waited, now = begun, acts = true) {
  const parsed = parseRolloutStatus(status);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return outcomeOf(parsed.status, { held, acts }, from, now);
}

const CANARY = '6d5f8c9b7c';
const promoted = { ...healthyStatus(), stable: { hash: CANARY, since: '2026-03-01T11:00:00Z' } };

test('what is in flight is open, and is remembered', () => {
  expect(outcome(holdingStatus(), true, waited)).toEqual({ kind: 'Open', waited: following(CANARY) });
});

test('what was in flight and is stable now was promoted', () => {
  expect(outcome(promoted, true, following(CANARY)).kind).toBe('Promoted');
});

test('what was in flight and is rolled back was rolled back, at once', () => {
  expect(outcome(rolledBackStatus(), true, following(CANARY)).kind).toBe('RolledBack');
});

test('a rollout that another template replaced is superseded, in flight or ended', () => {
  expect(outcome(holdingStatus(), true, following('other')).kind).toBe('Superseded');
  expect(outcome(healthyStatus(), false, following(CANARY)).kind).toBe('Superseded');
  expect(outcome(rolledBackStatus(), true, following('other')).kind).toBe('Superseded');
});

test('an older rollout may give way to the generation that is waited for', () => {
  const older = following('older', 3);
  expect(outcome(holdingStatus(), true, older)).toEqual({ kind: 'Open', waited: following(CANARY) });
  expect(outcome(healthyStatus(), true, older).kind).toBe('Open');
});

test('an older rollout that only was scaled since ends as what is waited for', () => {
  expect(outcome(promoted, false, following(CANARY, 3)).kind).toBe('Promoted');
  expect(outcome(rolledBackStatus(), true, following(CANARY, 3), later).kind).toBe('RolledBack');
});

test('a template that was just pushed is waited for, though the status still tells of the one before', () => {
  expect(outcome(healthyStatus(), true, waited).kind).toBe('Open');
  expect(outcome(healthyStatus(), true, waited, later).kind).toBe('Open');
  expect(outcome(rolledBackStatus(), true, waited).kind).toBe('Open');
  expect(outcome(rolledBackStatus(), true, waited, later).kind).toBe('RolledBack');
});

test('nothing to roll out is good news', () => {
  expect(outcome(healthyStatus(), false, waited).kind).toBe('Promoted');
});

test('where nothing is ever held, the operator gets time to notice', () => {
  expect(outcome(healthyStatus(), false, waited, begun, false).kind).toBe('Open');
  expect(outcome(healthyStatus(), false, waited, later, false).kind).toBe('Promoted');
});

test('a Rollout that has no stable revision yet is waited for', () => {
  expect(outcome({}, false, waited, later).kind).toBe('Open');
});
