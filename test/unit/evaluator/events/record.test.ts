import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countRecords, encodeRecord, RECORD_HEAD_BYTES, readRecords } from '../../../../src/evaluator/events/record.ts';
import { exposureOf, metricOf } from '../../../support/event-fixtures.ts';

const events = [metricOf('a'), exposureOf('00112233aabbccdd'), metricOf('Zoë 🚀 "quoted"')];
const bytes = Buffer.concat(events.map(encodeRecord));

test('records come back as they were written', () => {
  expect(readRecords(bytes, 10, 10_000)).toEqual({ events, bytes: bytes.length, isBroken: false });
});

test('the limits end a reading at a whole record, and one record is always read', () => {
  const first = encodeRecord(events[0]!).length;
  expect(readRecords(bytes, 1, 10_000)).toEqual({ events: events.slice(0, 1), bytes: first, isBroken: false });
  expect(readRecords(bytes, 10, 1)).toEqual({ events: events.slice(0, 1), bytes: first, isBroken: false });
});

test('wherever the file is cut, the whole records before the cut come back and no other', () => {
  const ends = events.map((_, index) => Buffer.concat(events.slice(0, index + 1).map(encodeRecord)).length);
  for (let length = 0; length < bytes.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    const end = whole === 0 ? 0 : ends[whole - 1]!;
    const read = readRecords(bytes.subarray(0, length), 10, 10_000);
    expect(read).toEqual({ events: events.slice(0, whole), bytes: end, isBroken: length > end });
    expect(countRecords(bytes.subarray(0, length))).toEqual({ events: whole, bytes: end });
  }
});

test('a byte that changed anywhere ends the reading before its record', () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ mask;
      const read = readRecords(damaged, 10, 10_000);
      expect(read.isBroken).toBe(true);
      expect(read.bytes).toBeLessThanOrEqual(at);
      expect(read.events).toEqual(events.slice(0, read.events.length));
      expect(countRecords(damaged)).toEqual({ events: read.events.length, bytes: read.bytes });
    }),
  );
});

test('zeros that a file system left are no records', () => {
  expect(readRecords(Buffer.alloc(4 * RECORD_HEAD_BYTES), 10, 10_000)).toEqual({
    events: [],
    bytes: 0,
    isBroken: true,
  });
});
