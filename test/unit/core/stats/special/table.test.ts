import { expect, test } from 'vitest';
import * as beta from '../../../../../src/core/stats/special/beta.ts';
import * as binomial from '../../../../../src/core/stats/special/binomial.ts';
import * as erf from '../../../../../src/core/stats/special/erf.ts';
import * as f from '../../../../../src/core/stats/special/f.ts';
import * as gamma from '../../../../../src/core/stats/special/gamma.ts';
import * as lambert from '../../../../../src/core/stats/special/lambert-w.ts';
import * as normal from '../../../../../src/core/stats/special/normal.ts';
import * as poisson from '../../../../../src/core/stats/special/poisson.ts';
import * as student from '../../../../../src/core/stats/special/student-t.ts';
import table from '../testdata/special.json' with { type: 'json' };

type Row = readonly number[];
const functions = { ...beta, ...binomial, ...erf, ...f, ...gamma, ...lambert, ...normal, ...poisson, ...student };
const named = functions as unknown as Readonly<Record<string, (...args: readonly number[]) => number>>;

/** 1e-12 for parameters in [1e-3, 1e7], 1e-9 beyond (design/experiments.md, "Numbers to reach"). */
function toleranceFor(name: string, args: Row): number {
  const shapes = /^(gamma|logGamma|poisson)/.test(name) ? args.slice(0, 1) : args.slice(1);
  const isShaped = /^(gamma|logGamma|poisson|beta|t|f|binomial)/.test(name) && !/Pmf/.test(name);
  return isShaped && shapes.some((shape) => shape > 1e7 || (shape < 1e-3 && shape > 0)) ? 1e-9 : 1e-12;
}

/** Error relative to the wanted value; lbeta counts absolutely (1e-13) near its zeros. */
function errorOf(name: string, got: number, want: number): number {
  return got === want ? 0 : Math.abs(got - want) / Math.max(Math.abs(want), name === 'lbeta' ? 0.1 : 0);
}

test.each(Object.entries(table as Record<string, Row[]>))('%s equals its table of 40 digits', (name, rows) => {
  const compute = named[name];
  expect(compute, name).toBeTypeOf('function');
  expect(rows.length).toBeGreaterThan(2);
  for (const row of rows) {
    const args = row.slice(0, -1);
    const want = row.at(-1) as number;
    const got = compute?.(...args) ?? Number.NaN;
    expect(errorOf(name, got, want), `${name}(${args.join(', ')}) = ${got}, not ${want}`).toBeLessThanOrEqual(
      toleranceFor(name, args),
    );
  }
});
