import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkResponse } from '../../../../src/evaluator/ext-authz/check-response.ts';
import { decodeAnswer } from '../../../support/ext-authz.ts';

test('another library reads that the request may pass, with which headers', () => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });
  fc.assert(
    fc.property(
      fc.constantFrom('canary', 'stable'),
      fc.option(text, { nil: undefined }),
      text,
      fc.option(text, { nil: undefined }),
      (variant, revision, unit, setCookie) => {
        const ofRevision = revision === undefined ? {} : { 'x-sluice-revision': revision };
        expect(decodeAnswer(checkResponse({ variant, revision, unit, setCookie }))).toEqual({
          status: 0,
          set: { 'x-sluice-variant': variant, 'x-sluice-unit': unit, ...ofRevision },
          removed: revision === undefined ? ['x-sluice-revision'] : [],
          added: setCookie === undefined ? [] : [['set-cookie', setCookie]],
        });
      },
    ),
  );
});

test('without a unit and a revision their headers are taken off', () => {
  const routing = { variant: 'stable', revision: undefined, unit: undefined, setCookie: undefined } as const;
  expect(decodeAnswer(checkResponse(routing))).toEqual({
    status: 0,
    set: { 'x-sluice-variant': 'stable' },
    removed: ['x-sluice-revision', 'x-sluice-unit'],
    added: [],
  });
});
