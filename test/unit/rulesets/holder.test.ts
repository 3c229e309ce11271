import { beforeEach, expect, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import { timeBoundaries } from '../../../src/core/evaluation/time-boundaries.ts';
import { boundariesPassed, configTag, RulesetHolder } from '../../../src/rulesets/holder.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';

const START = Date.parse('2026-11-21T08:00:00Z');
let clock: FakeClock;
let holder: RulesetHolder;
let told: string[];

beforeEach(() => {
  clock = new FakeClock(START);
  holder = new RulesetHolder({ clock, logger: silent });
  told = [];
  holder.subscribe((held) => told.push(configTag(held, clock.now())));
});

const launchAt = (...times: string[]) => ({
  launch: flagWith({
    rules: times.map((after) => ({ id: after, when: { time: { after } }, serve: { variant: 'on' } })),
  }),
});

function snapshot(
  revision: number,
  { flags = launchAt(), flagSetId = 'shop', issuedAt = '2026-11-21T08:00:00Z' } = {},
) {
  const rest = { flagSetId, revision, issuedAt, timeBoundaries: timeBoundaries(flags) };
  return snapshotOf(sealRuleset({ ...rulesetWith(flags), ...rest }));
}

const offer = (revision: number, live = true, more: Parameters<typeof snapshot>[1] = {}) =>
  holder.take({ kind: 'Ruleset', snapshot: snapshot(revision, more), live });

test('a newer revision takes the place of the one that is held, an older one does not', () => {
  offer(5);
  offer(4);
  expect(holder.current?.compiled.revision).toBe(5);
  offer(6);
  expect(holder.current?.compiled.revision).toBe(6);
  expect(told).toHaveLength(2);
});

const [EARLY, LATER, LAST] = ['2026-11-21T08:00:01Z', '2026-11-21T09:00:00Z', '2026-11-21T09:00:01Z'];

test('where numbers start lower, what was made later takes the place of what is held', () => {
  offer(37, true, { issuedAt: EARLY });
  holder.take({ kind: 'Refused', code: 'SLUICE_RULESET_DIFFERS', message: 'x' });
  offer(1, true, { issuedAt: LATER });
  expect([holder.current?.compiled.revision, holder.stale]).toEqual([1, false]);
  offer(2, true, { issuedAt: LAST });
  expect(holder.current?.compiled.revision).toBe(2);
});

test('the same number with another content counts by its time', () => {
  offer(37, true, { issuedAt: LATER });
  offer(37, true, { issuedAt: EARLY });
  expect(told).toHaveLength(1);
  offer(37, true, { issuedAt: LAST });
  expect(told).toHaveLength(2);
});

test('what a replica that lags gives is refused and confirms nothing, before and after numbers started lower', async () => {
  offer(37, true, { issuedAt: EARLY });
  await clock.advance(1_000);
  offer(36);
  expect([holder.current?.compiled.revision, holder.newsAt]).toEqual([37, START]);
  offer(1, true, { issuedAt: LATER });
  offer(37, true, { issuedAt: EARLY });
  expect(holder.current?.compiled.revision).toBe(1);
});

test('what was kept from before never takes the numbers back', () => {
  offer(37, true, { issuedAt: EARLY });
  offer(1, false, { issuedAt: LATER });
  expect(holder.current?.compiled.revision).toBe(37);
});

test('a higher number counts also where the clock of the next leader is behind', () => {
  offer(5, true, { issuedAt: LATER });
  offer(6, true, { issuedAt: EARLY });
  expect(holder.current?.compiled.revision).toBe(6);
});

test('a ruleset of another flag set is refused, and the one that is held goes on', () => {
  offer(5);
  offer(6, true, { flagSetId: 'other' });
  expect([holder.current?.compiled.revision, holder.stale]).toEqual([5, true]);
  expect([...holder.refusals]).toEqual([['SLUICE_RULESET_INVALID', 1]]);
});

test('after a live ruleset that was refused, no confirmation counts until one is taken', () => {
  offer(5);
  offer(6, true, { flagSetId: 'other' });
  holder.take({ kind: 'Confirmed' });
  expect(holder.stale).toBe(true);
  offer(7);
  expect(holder.stale).toBe(false);
  // What was kept from before says nothing about what its sources know now.
  offer(8, false, { flagSetId: 'other' });
  holder.take({ kind: 'Confirmed' });
  expect(holder.stale).toBe(false);
});

test('a ruleset of another flag set takes the place of what is held where that was asked for', () => {
  holder = new RulesetHolder({ clock, logger: silent, changesFlagSet: true });
  offer(5);
  offer(6, true, { flagSetId: 'other' });
  expect([holder.current?.compiled.flagSetId, holder.stale]).toEqual(['other', false]);
});

test('who knows whose flags it wants takes no others, not even as the first', () => {
  holder = new RulesetHolder({ clock, logger: silent, flagSetId: 'bank' });
  offer(5);
  expect(holder.current).toBeUndefined();
  expect([...holder.refusals]).toEqual([['SLUICE_RULESET_INVALID', 1]]);
  offer(3, true, { flagSetId: 'bank' });
  expect(holder.current?.compiled.revision).toBe(3);
});

test('what is held expires so long after the last word that nothing is newer, and never unless asked to', async () => {
  const forEver = holder;
  holder = new RulesetHolder({ clock, logger: silent, expiresAfterMs: 60_000 as DurationMs });
  offer(5);
  await clock.advance(50_000);
  holder.take({ kind: 'Confirmed' });
  await clock.advance(60_000);
  expect(holder.expired).toBe(false);
  await clock.advance(1);
  expect(holder.expired).toBe(true);
  offer(4, false); // what was kept from before is no word of now
  expect(holder.expired).toBe(true);
  offer(5);
  expect([holder.expired, forEver.expired]).toEqual([false, false]);
});

test('what was kept from before expires so long after the start', async () => {
  holder = new RulesetHolder({ clock, logger: silent, expiresAfterMs: 60_000 as DurationMs });
  offer(5, false);
  await clock.advance(60_000);
  expect(holder.expired).toBe(false);
  await clock.advance(1);
  expect(holder.expired).toBe(true);
});

test('the same ruleset again is no change', () => {
  offer(5);
  offer(5);
  expect(told).toHaveLength(1);
});

test('what was kept from before is stale until a live source confirms it', async () => {
  offer(5, false);
  expect([holder.stale, holder.newsAt]).toEqual([true, undefined]);
  await clock.advance(1_000);
  offer(5, true);
  expect([holder.stale, holder.newsAt]).toEqual([false, START + 1_000]);
});

test('a refusal makes it stale, and only news end that', () => {
  offer(5);
  holder.take({ kind: 'Refused', code: 'SLUICE_RULESET_DIGEST', message: 'x' });
  expect([holder.current?.compiled.revision, holder.stale]).toEqual([5, true]);
  holder.take({ kind: 'Confirmed' });
  expect(holder.stale).toBe(false);
});

test('listeners hear of each time boundary once, and answers have changed by then', async () => {
  offer(5, true, { flags: launchAt('2026-11-21T08:00:10Z', '2026-11-21T08:00:20Z') });
  const reason = () => {
    const answer = evaluate(holder.current!.compiled, 'launch', {}, clock.now());
    return answer.kind === 'Served' && answer.reason;
  };
  await clock.advance(9_999);
  expect([told.length, reason()]).toEqual([1, 'DEFAULT']);
  await clock.advance(1);
  expect([told.length, reason()]).toEqual([2, 'TARGETING_MATCH']);
  await clock.advance(86_400_000);
  expect(new Set(told).size).toBe(3);
  expect(told).toHaveLength(3);
});

test('a boundary further away than a timer of Node can be set is still met', async () => {
  offer(5, true, { flags: launchAt('2027-11-21T08:00:00Z') });
  await clock.advance(365 * 86_400_000 - 1);
  expect(told).toHaveLength(1);
  await clock.advance(1);
  expect(told).toHaveLength(2);
});

test('after a swap, boundaries of the ruleset before it are heard of no more', async () => {
  offer(5, true, { flags: launchAt('2026-11-21T08:00:10Z') });
  offer(6);
  await clock.advance(60_000);
  expect(told).toHaveLength(2);
});

test('a boundary is passed at its very millisecond', () => {
  offer(5, true, { flags: launchAt('2026-11-21T08:00:10Z', '2026-11-21T08:00:20Z') });
  const { compiled } = holder.current!;
  expect([9_999, 10_000, 19_999, 20_000].map((ms) => boundariesPassed(compiled, START + ms))).toEqual([0, 1, 1, 2]);
});

test('once stopped it is silent', async () => {
  offer(5, true, { flags: launchAt('2026-11-21T08:00:10Z') });
  holder.stop();
  await clock.advance(60_000);
  expect(told).toHaveLength(1);
});
