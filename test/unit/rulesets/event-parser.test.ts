import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventParser } from '../../../src/rulesets/event-parser.ts';

const STREAM =
  'event: snapshot\nid: 7\ndata: AAAA\n\n: a comment\r\nevent: ping\r\ndata:{}\r\n\r\ndata: a\ndata: b\n\nid: 9\n\n';
const EVENTS = [
  { event: 'snapshot', id: '7', data: 'AAAA' },
  { event: 'ping', id: undefined, data: '{}' },
  { event: 'message', id: undefined, data: 'a\nb' },
];

test('events are the same however the stream is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
      const parser = new EventParser();
      const events = at.flatMap((from, index) => parser.feed(Buffer.from(STREAM.slice(from, at[index + 1] ?? from))));
      expect(events).toEqual(EVENTS);
    }),
  );
});

test('an event that never ends is not kept', () => {
  const parser = new EventParser();
  const feed = () => {
    for (let mib = 0; mib < 5; mib++) parser.feed(Buffer.alloc(1_048_576, 'a'));
  };
  expect(feed).toThrow(RangeError);
});

test('many lines of one event count together', () => {
  const parser = new EventParser();
  const feed = () => {
    for (let mib = 0; mib < 5; mib++) parser.feed(Buffer.from(`data: ${'a'.repeat(1_048_576)}\n`));
  };
  expect(feed).toThrow(RangeError);
});
