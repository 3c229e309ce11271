import { expect, test } from 'vitest';
import { evaluateLine } from '../../../../hack/statistics/evaluate.ts';
import { rounded } from '../../../../hack/statistics/render.ts';
import { catalogEntries, documentedExamples } from '../../../support/documented-examples.ts';

test.each(documentedExamples.map(({ call, line, answer }) => [call.fn, line, answer] as const))(
  'docs/statistics.md is right about %s',
  async (_fn, line, answer) => {
    expect(rounded(await evaluateLine(line, catalogEntries))).toEqual(answer);
  },
);
