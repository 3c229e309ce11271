import { describe, expect, test } from 'vitest';
import type { EpochMs } from '../../../../src/base/units.ts';
import {
  contestOf,
  isBehind,
  isUndone,
  mayPin,
  noPin,
  type PinWatch,
  pinRefused,
  pinUndone,
  pinWritten,
} from '../../../../src/controllers/rollout/pin-watch.ts';
import type { Service } from '../../../../src/kube/builtins.ts';

const at = (seconds: number) => (seconds * 1000) as EpochMs;
const service = (managedFields: readonly object[] = [], resourceVersion = '2') =>
  ({ metadata: { name: 'shop', resourceVersion, managedFields } }) as Service;
const selector = (manager: string, time: string) => ({ manager, time, fieldsV1: { 'f:spec': { 'f:selector': {} } } });

/** Pinned at each of these seconds, and put back a second later. */
const revertedAfterPinsAt = (...seconds: number[]): PinWatch =>
  seconds.reduce(
    (watch, second) => pinUndone(pinWritten(watch, 'v1', '1', at(second)), service(), at(second + 1)),
    noPin,
  );

describe('a pin of the user’s Service', () => {
  test('that was put back is tried again at once, then after 5 s, then ever more seldom, at least once a minute', () => {
    expect(mayPin(revertedAfterPinsAt(0), at(1))).toBe(true);
    const twice = revertedAfterPinsAt(0, 2);
    expect([6.9, 7].map((now) => mayPin(twice, at(now)))).toEqual([false, true]);
    const thrice = revertedAfterPinsAt(0, 2, 7);
    expect([16.9, 17].map((now) => mayPin(thrice, at(now)))).toEqual([false, true]);
    const often = revertedAfterPinsAt(0, 2, 7, 17, 37, 77, 137, 197);
    expect([256.9, 257].map((now) => mayPin(often, at(now)))).toEqual([false, true]);
  });

  test('that was put back twice in a row is contested, also while it stands again, until it has stood for a minute', () => {
    expect(contestOf(revertedAfterPinsAt(0), undefined, at(1))).toBeUndefined();
    const twice = revertedAfterPinsAt(0, 2);
    expect(contestOf(twice, undefined, at(3))).toMatchObject({ reason: 'Reverted' });
    expect(contestOf(twice, undefined, at(300))).toMatchObject({ reason: 'Reverted' });
    const again = pinWritten(twice, 'v1', '3', at(10));
    expect(contestOf(again, 'v1', at(69))).toMatchObject({ reason: 'Reverted' });
    expect(contestOf(again, 'v1', at(70))).toBeUndefined();
  });

  test('that had stood for more than a minute before is not a fight', () => {
    const twice = pinUndone(pinWritten(revertedAfterPinsAt(0), 'v1', '3', at(2)), service(), at(63));
    expect(contestOf(twice, undefined, at(63))).toBeUndefined();
  });

  test('names who put it back: the newest writer of the selector but Sluice', () => {
    const fields = [
      selector('helm', '2026-01-01T00:00:00Z'),
      selector('argocd', '2026-01-02T00:00:00Z'),
      selector('sluice', '2026-01-03T00:00:00Z'),
      { manager: 'kcm', time: '2026-01-04T00:00:00Z', fieldsV1: { 'f:status': {} } },
    ];
    const watch = pinUndone(revertedAfterPinsAt(0), service(fields), at(2));
    expect(contestOf(watch, undefined, at(2))?.message).toBe('argocd keeps putting its selector back');
  });

  test('that is refused is contested at once, with the reason, and tried again after 5 s, then ever more seldom', () => {
    const once = pinRefused(noPin, 'the platform team keeps it', at(0));
    expect(contestOf(once, undefined, at(0))).toMatchObject({
      reason: 'Refused',
      message: expect.stringContaining('the platform team keeps it'),
    });
    expect([4.9, 5].map((now) => mayPin(once, at(now)))).toEqual([false, true]);
    const twice = pinRefused(once, 'still', at(5));
    expect([14.9, 15].map((now) => mayPin(twice, at(now)))).toEqual([false, true]);
    expect(contestOf(pinWritten(twice, 'v1', '1', at(16)), 'v1', at(16))).toBeUndefined();
  });

  test('is not called undone by a cache that is behind', () => {
    const watch = pinWritten(noPin, 'v1', '1', at(0));
    expect(isBehind(watch, service([], '1'))).toBe(true);
    expect(isBehind(watch, service([], '2'))).toBe(false);
    expect([isUndone(watch, undefined), isUndone(watch, 'v1'), isUndone(noPin, undefined)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
