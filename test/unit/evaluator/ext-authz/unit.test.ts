import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cookieOf, isNavigation, newUnit, setCookieOf, unitOf } from '../../../../src/evaluator/ext-authz/unit.ts';
import { parseUnitSources } from '../../../../src/wire/per-user-routing.ts';

const MINTED = 'AbCdEfGhIjKlMnOpQrStUw';
const unitIn = (sources: string, headers: Record<string, string>) =>
  unitOf(parseUnitSources(sources) ?? [], new Map(Object.entries(headers)));

test.each([
  ['cookie:sluice-unit,header:x-user-id', { cookie: `sluice-unit=${MINTED}`, 'x-user-id': 'u' }, MINTED],
  ['header:x-user-id,cookie:sluice-unit', { cookie: `sluice-unit=${MINTED}`, 'x-user-id': 'u' }, 'u'],
  ['cookie:sluice-unit,header:X-User-ID', { 'x-user-id': ' u ' }, 'u'],
  ['cookie:session', { cookie: 'session="a b"' }, '"a b"'],
  ['header:x-user-id', { 'x-user-id': 'x'.repeat(256) }, 'x'.repeat(256)],
])('the first of %s that a request has is its unit', (sources, headers, unit) => {
  expect(unitIn(sources, headers)).toBe(unit);
});

test.each([
  ['empty', { 'x-user-id': '' }],
  ['blank', { 'x-user-id': ' \t ' }],
  ['longer than 256 characters', { 'x-user-id': 'x'.repeat(257) }],
  ['with a control character', { 'x-user-id': 'a\u0001b' }],
  ['with a line break', { 'x-user-id': 'a\r\nx-sluice-variant: canary' }],
  ['that is no ASCII', { 'x-user-id': 'Zo\u00c3\u00ab' }],
])('a unit %s counts as absent, and the next one is taken', (_, headers) => {
  expect(unitIn('header:x-user-id', headers)).toBeUndefined();
  expect(unitIn('header:x-user-id,cookie:session', { ...headers, cookie: 'session=s' })).toBe('s');
});

test.each(['', 'short', `${MINTED}x`, `${MINTED.slice(0, 21)}B`, `"${MINTED}"`, `${MINTED.slice(0, 21)}=`])(
  'our cookie with the value %j was not minted by us and counts as absent',
  (value) => {
    expect(unitIn('cookie:sluice-unit,header:x-user-id', { cookie: `sluice-unit=${value}`, 'x-user-id': 'u' })).toBe(
      'u',
    );
  },
);

test.each([
  ['a=1; b=2', 'b', '2'],
  ['a=1;b=2', 'b', '2'],
  [' a=1;\tb = 2', 'b', undefined], // a name ends at its equals sign
  ['a=first; a=second', 'a', 'first'],
  ['ab=1; a=2', 'a', '2'],
  ['a==1=', 'a', '=1='],
  ['A=1', 'a', undefined],
  ['a', 'a', undefined],
  ['a=', 'a', ''],
  [';;; a=1', 'a', '1'],
  ['x="; a=1', 'a', '1'], // quotes do not shield semicolons: RFC 6265 §5.4 knows none
])('of the cookies %j, %s is %j', (header, name, value) => {
  expect(cookieOf(header, name)).toBe(value);
});

test('any text is searched for a cookie, and what is found stands in it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom('a', 'sluice-unit', '='),
      (header, name) => {
        const found = cookieOf(header, name);
        if (found !== undefined) expect(header).toContain(found);
      },
    ),
  );
});

test('whatever the headers are, a unit is printable ASCII of at most 256 characters', () => {
  const text = fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 400 });
  fc.assert(
    fc.property(text, text, (cookie, user) => {
      const unit = unitIn('cookie:session,cookie:sluice-unit,header:x-user-id', {
        cookie: `session=${cookie}`,
        'x-user-id': user,
      });
      if (unit !== undefined) expect(unit).toMatch(/^[ -~]{1,256}$/);
    }),
    { numRuns: 5_000 },
  );
});

test('units that are minted are taken for such, and no two are alike', () => {
  const units = new Set(Array.from({ length: 1_000 }, () => newUnit(randomBytes)));
  expect(units.size).toBe(1_000);
  for (const unit of units) {
    const [pair = ''] = setCookieOf(unit).split(';');
    expect(unitIn('cookie:sluice-unit', { cookie: pair })).toBe(unit);
  }
});

test.each([
  [{ 'sec-fetch-mode': 'navigate' }, true],
  [{ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, true],
  [{ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, false],
  [{ 'sec-fetch-mode': 'cors', accept: 'text/html' }, false],
  [{ 'sec-fetch-mode': 'no-cors' }, false],
  [{ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, true],
  [{ accept: 'Text/HTML' }, true],
  [{ accept: '*/*' }, false],
  [{ accept: 'application/json' }, false],
  [{}, false],
])('%j opens a page: %s', (headers, is) => {
  expect(isNavigation(new Map(Object.entries(headers)))).toBe(is);
});
