import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkResponse } from '../../../../src/evaluator/ext-authz/check-response.ts';
import { decodeAnswer } from '../../../support/ext-authz.ts';

test('another library reads that the request may pass, with which headers', () => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });
  fc.assert(
    fc.property(
      fc.constantFrom('canary', 'stable'),
      text,
      fc.option(text, { nil: undefined }),
      (variant, unit, setCookie) => {
        expect(decodeAnswer(checkResponse({ variant, unit, setCookie }))).toEqual({
          status: 0,
          set: { 'x-sluice-variant': variant, 'x-sluice-unit': unit },
          removed: [],
          added: setCookie === undefined ? [] : [['set-cookie', setCookie]],
        });
      },
    ),
  );
});

test('without a unit the header is taken off', () => {
  expect(decodeAnswer(checkResponse({ variant: 'stable', unit: undefined, setCookie: undefined }))).toEqual({
    status: 0,
    set: { 'x-sluice-variant': 'stable' },
    removed: ['x-sluice-unit'],
    added: [],
  });
});
