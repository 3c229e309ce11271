import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRfc3339 } from '../../../../src/core/evaluation/rfc3339.ts';

describe('parseRfc3339', () => {
  test('reads what the platform writes, for every day of four-digit years', () => {
    const years = {
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    };
    fc.assert(
      fc.property(fc.date(years), (date) => {
        expect(parseRfc3339(date.toISOString())).toBe(date.getTime());
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['2026-12-01T08:00:00+01:30', '2026-12-01T06:30:00Z'],
    ['2026-12-01T08:00:00-11:00', '2026-12-01T19:00:00Z'],
    ['2026-12-01t08:00:00z', '2026-12-01T08:00:00Z'],
    ['2026-12-01T08:00Z', '2026-12-01T08:00:00Z'],
    ['2026-12-01T08:00:00.123456789Z', '2026-12-01T08:00:00.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z'],
  ])('reads %s as %s', (text, same) => {
    expect(parseRfc3339(text)).toBe(Date.parse(same));
  });

  test.each([
    '',
    '2026-12-01',
    '2026-12-01T08:00:00',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00+24:00',
    '+002026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z trailing',
    `2026-01-01T00:00:00.${'0'.repeat(100_000)}Z`,
  ])('reads nothing from "%s"', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});
