import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseUnitSources, unitSourcesText } from '../../../src/wire/per-user-routing.ts';

test('a list of units is read as it was written, headers in lower case', () => {
  expect(parseUnitSources('cookie:sluice-unit,header:X-User-Id')).toEqual([
    { kind: 'cookie', name: 'sluice-unit' },
    { kind: 'header', name: 'x-user-id' },
  ]);
  expect(parseUnitSources(' cookie:Session , header:x-user-id ')).toEqual([
    { kind: 'cookie', name: 'Session' },
    { kind: 'header', name: 'x-user-id' },
  ]);
});

test('what was read and written again is the same', () => {
  const name = fc.stringMatching(/^[a-z0-9!#$%&'*+.^`|~_-]{1,128}$/);
  const source = fc.record({ kind: fc.constantFrom('cookie' as const, 'header' as const), name });
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 8 }), (sources) => {
      expect(parseUnitSources(unitSourcesText(sources))).toEqual(sources);
    }),
  );
});

test.each([
  '',
  'cookie',
  'cookie:',
  'query:user',
  'header:x user',
  'header:x;y',
  'cookie:a,',
  Array(9).fill('header:x').join(),
  `header:${'x'.repeat(129)}`,
  'x'.repeat(100_000),
])('%j is no list of units', (text) => {
  expect(parseUnitSources(text)).toBeUndefined();
});
