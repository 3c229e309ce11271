import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCheckRequest } from '../../../../src/evaluator/ext-authz/check-request.ts';
import { encodeCheck } from '../../../support/ext-authz.ts';

const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const entries = fc.dictionary(ascii, ascii, { maxKeys: 40, noNullPrototype: true });

test('it reads what another library wrote, whatever the headers are', () => {
  fc.assert(
    fc.property(entries, entries, (headers, extensions) => {
      const read = readCheckRequest(encodeCheck({ headers, extensions }));
      expect(Object.fromEntries(read?.headers ?? [])).toEqual(headers);
      expect(Object.fromEntries(read?.extensions ?? [])).toEqual(extensions);
    }),
  );
});

test('headers named as parts of every object are headers', () => {
  const read = readCheckRequest(encodeCheck({ headers: { constructor: 'a', tostring: 'b' } }));
  expect([...(read?.headers ?? [])]).toEqual([
    ['constructor', 'a'],
    ['tostring', 'b'],
  ]);
});

test('a message in several parts counts as one', () => {
  const one = encodeCheck({ headers: { a: '1' }, extensions: { x: 'y' } });
  const other = encodeCheck({ headers: { b: '2', a: '3' } });
  const read = readCheckRequest(Buffer.concat([one, other]));
  expect(Object.fromEntries(read?.headers ?? [])).toEqual({ a: '3', b: '2' });
  expect(read?.extensions.get('x')).toBe('y');
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      readCheckRequest(Buffer.from(bytes));
    }),
    { numRuns: 5_000 },
  );
});

test('a good message with bytes changed, cut out or put in does not make it throw', () => {
  const good = encodeCheck({
    headers: { cookie: 'sluice-unit=abc; theme=dark', accept: 'text/html', 'x-user-id': 'u-1' },
    extensions: { 'sluice-rollout': 'shop/web', 'sluice-units': 'header:x-user-id' },
  });
  const place = fc.nat({ max: good.length });
  fc.assert(
    fc.property(place, place, fc.uint8Array({ maxLength: 12 }), (from, length, put) => {
      readCheckRequest(Buffer.concat([good.subarray(0, from), put, good.subarray(from + length)]));
    }),
    { numRuns: 20_000 },
  );
});

const attributes = (inner: Buffer | number[]) => {
  const bytes = Buffer.from(inner);
  return Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
};

test.each([
  ['a length beyond the message', attributes([0x52, 0x7f, 1, 2])],
  ['a length of 2^63', attributes([0x52, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
  ['a number without an end', attributes([0x08, 0xff, 0xff])],
  ['a number of 11 bytes', attributes([0x08, ...Array(10).fill(0x80), 0x01])],
  ['a group', attributes([0x53, 0x54])],
  ['a fixed number that is cut', attributes([0x09, 1, 2, 3])],
  ['more fields than anybody sends', Buffer.from(Array(10_000).fill([0x12, 0x00]).flat())],
  ['more headers than anybody sends', encodeCheck({ headers: headersOf(2_000) })],
])('%s is no message', (_, message) => {
  expect(readCheckRequest(message)).toBeUndefined();
});

function headersOf(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'y']));
}

test('numbers and fixed fields that nobody reads are passed over', () => {
  const skipped = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1d, 1, 2, 3, 4];
  const entry = [0x0a, 1, 0x61, 0x12, 1, 0x62];
  const read = readCheckRequest(attributes([...skipped, 0x52, entry.length, ...entry]));
  expect([...(read?.extensions ?? [])]).toEqual([['a', 'b']]);
});
