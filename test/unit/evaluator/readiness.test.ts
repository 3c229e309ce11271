import { expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import { Readiness, type ReadinessPorts } from '../../../src/evaluator/readiness.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type Held = { -readonly [Key in keyof ReadinessPorts['holder']]: ReadinessPorts['holder'][Key] };

function readinessOf(readyWithoutAfterMs: number | undefined) {
  const holder: Held = { current: undefined, expired: false };
  const clock = new FakeClock(0);
  const settings = { readyWithoutAfterMs: readyWithoutAfterMs as DurationMs | undefined };
  return { holder, clock, readiness: new Readiness({ holder, clock, logger: silent, ...settings }) };
}

const ruleset = {} as NonNullable<Held['current']>;

test('it is ready as soon as a ruleset answers, whoever brought it', () => {
  const { holder, readiness } = readinessOf(10_000);
  expect(readiness.why).toBe('no ruleset yet');
  holder.current = ruleset;
  expect(readiness.why).toBeUndefined();
});

test('with nobody to ask it waits as long as it was told, and no longer', async () => {
  const { clock, readiness } = readinessOf(10_000);
  await clock.advance(9_999);
  expect(readiness.why).toBe('no ruleset yet');
  await clock.advance(1);
  expect(readiness.why).toBeUndefined();
});

test('unless it was told how long, it waits for ever', async () => {
  const { clock, readiness } = readinessOf(undefined);
  await clock.advance(86_400_000);
  expect(readiness.why).toBe('no ruleset yet');
});

test('who chose to fail closed is not ready once that time is over', () => {
  const { holder, readiness } = readinessOf(10_000);
  holder.current = ruleset;
  holder.expired = true;
  expect(readiness.why).toContain('--fail-closed-after');
});
