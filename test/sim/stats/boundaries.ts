import { seededRandom } from '../../../src/base/random.ts';
import { bernoulliSequence } from '../../../src/core/stats/sequential/bernoulli-sequence.ts';
import { empiricalProcessBound } from '../../../src/core/stats/sequential/empirical-process.ts';
import { gammaPoissonBound, gammaPoissonMixture } from '../../../src/core/stats/sequential/gamma-poisson.ts';
import { mixtureRho, oneSidedBound, twoSidedBound } from '../../../src/core/stats/sequential/normal-mixture.ts';
import { polyStitchingBound } from '../../../src/core/stats/sequential/poly-stitching.ts';
import { compareQuantiles } from '../../../src/core/stats/sequential/quantile-comparison.ts';
import { quantileSequence } from '../../../src/core/stats/sequential/quantile-sequence.ts';
import { normalDraws, poissonDraw } from './draws.ts';
import { type Row, tally } from './row.ts';

const alpha = 0.05;
const alarm = { event: 'false alarm', alpha, whose: 'ours' } as const;
const missed = { event: 'interval missed the truth', alpha, whose: 'ours' } as const;

/** A normal walk that is watched at each of 3,000 steps. */
export function normalWalk(runs: number): Row[] {
  const scenario = 'normal walk, 3,000 looks';
  const normal = normalDraws(seededRandom(301));
  const times = Array.from({ length: 3_000 }, (_, i) => i + 1);
  const two = times.map((v) => twoSidedBound(v, alpha, mixtureRho(500, alpha)));
  const one = times.map((v) => oneSidedBound(v, alpha, mixtureRho(500, 2 * alpha)));
  const stitched = times.map((v) => polyStitchingBound(v, alpha, { minTime: 10, scale: 0 }));
  return tally(
    runs,
    [
      { ...alarm, scenario, method: 'two-sided normal mixture' },
      { ...alarm, scenario, method: 'one-sided normal mixture' },
      { ...alarm, scenario, method: 'poly stitching (one-sided)' },
      { ...alarm, whose: 'peer', scenario, method: 'z test at each look' },
    ],
    (fire) => {
      let sum = 0;
      times.forEach((v, i) => {
        sum += normal();
        if (Math.abs(sum) >= (two[i] as number)) fire(0, v);
        if (sum >= (one[i] as number)) fire(1, v);
        if (sum >= (stitched[i] as number)) fire(2, v);
        if (Math.abs(sum) >= 1.96 * Math.sqrt(v)) fire(3, v);
      });
    },
  );
}

/** A rare success watched every 25 trials, and a count watched against its expectation. */
export function countSequences(runs: number): Row[] {
  const random = seededRandom(302);
  const plan = { alpha, plannedTrials: 1_000 };
  const mixture = gammaPoissonMixture(50, alpha);
  const bounds = Array.from({ length: 200 }, (_, i) => gammaPoissonBound(mixture, i + 1, alpha));
  return tally(
    runs,
    [
      { ...missed, scenario: '3 % successes, 80 looks', method: 'Bernoulli sequence (beta-binomial)' },
      { ...alarm, scenario: 'counts with 1 expected a look, 200 looks', method: 'gamma-Poisson mixture' },
    ],
    (fire) => {
      let successes = 0;
      for (let look = 1; look <= 80; look++) {
        for (let i = 0; i < 25; i++) successes += random() < 0.03 ? 1 : 0;
        const { lower, upper } = bernoulliSequence({ successes, trials: look * 25 }, plan);
        if (lower > 0.03 || upper < 0.03) fire(0, look);
      }
      let count = 0;
      bounds.forEach((bound, i) => {
        count += poissonDraw(random, 1);
        if (count - (i + 1) >= bound) fire(1, i + 1);
      });
    },
  );
}

/** Quantiles of log-normal values, watched ten times. */
export function quantileSequences(runs: number): Row[] {
  const scenario = 'log-normal latency, 10 looks of 100 values';
  const random = seededRandom(303);
  const normal = normalDraws(random);
  const plan = { p: 0.9, alpha, plannedObservations: 500 };
  const truth = Math.exp(1.2815515655446004);
  const sorted = (values: number[]) => values.sort((a, b) => a - b);
  return tally(
    runs,
    [
      { ...missed, scenario, method: 'quantile sequence, p90' },
      { ...alarm, scenario, method: 'comparison of two p90' },
      { ...missed, scenario, method: 'empirical process, all quantiles' },
    ],
    (fire) => {
      let first: number[] = [];
      let second: number[] = [];
      for (let look = 1; look <= 10; look++) {
        const more = () => Array.from({ length: 100 }, () => Math.exp(normal()));
        first = sorted([...first, ...more()]);
        second = sorted([...second, ...more()]);
        const { lower, upper } = quantileSequence(first, plan);
        if (lower > truth || upper < truth) fire(0, look);
        if (compareQuantiles(first, second, plan).pValue <= alpha) fire(1, look);
      }
      const uniforms: number[] = [];
      for (let look = 1; look <= 10; look++) {
        for (let i = 0; i < 100; i++) uniforms.push(random());
        sorted(uniforms);
        const n = uniforms.length;
        const distance = uniforms.reduce((far, u, i) => Math.max(far, (i + 1) / n - u, u - i / n), 0);
        if (distance > empiricalProcessBound(n, { alpha, minObservations: 100 })) fire(2, look);
      }
    },
  );
}
