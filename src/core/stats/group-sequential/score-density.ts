import { normalPdf, normalSf } from '../special/normal.ts';

/**
 * The density of the score S = Z √t on those paths that have not stopped, on an even grid with Simpson weights (Armitage,
 * McPherson, Rowe 1969; Jennison & Turnbull 2000, ch. 19). Before the first look all mass is at 0.
 */
export interface ScoreDensity {
  /** Information fraction of the last look. */
  readonly t: number;
  readonly points: readonly number[];
  /** Density times Simpson weight at each point. */
  readonly masses: readonly number[];
}

export const scoreAtStart: ScoreDensity = { t: 0, points: [0], masses: [1] };

/** Mass that is above `bound` (score scale) at information t, when the score drifts by `drift` per unit of information. */
export function massAbove(density: ScoreDensity, t: number, bound: number, drift: number): number {
  const dt = t - density.t;
  const deviation = Math.sqrt(dt);
  let sum = 0;
  for (let i = 0; i < density.points.length; i++) {
    const from = (density.points[i] as number) + drift * dt;
    sum += (density.masses[i] as number) * normalSf((bound - from) / deviation);
  }
  return sum;
}

/** Mass that is below `bound`. */
export function massBelow(density: ScoreDensity, t: number, bound: number, drift: number): number {
  const mirrored = { ...density, points: density.points.map((point) => -point) };
  return massAbove(mirrored, t, -bound, -drift);
}

/** The density at t of the paths that stay strictly between the score bounds there. */
export function advance(density: ScoreDensity, t: number, lower: number, upper: number, drift: number): ScoreDensity {
  const dt = t - density.t;
  const deviation = Math.sqrt(dt);
  // Nothing of note lies beyond 9 standard deviations; a sixth of the increment's own resolves the convolution.
  const low = Math.max(lower, drift * t - 9 * Math.sqrt(t));
  const high = Math.max(low, Math.min(upper, drift * t + 9 * Math.sqrt(t)));
  const cells = 2 * Math.ceil(Math.min(1000, Math.max(50, (3 * (high - low)) / deviation)));
  const width = (high - low) / cells;
  const points: number[] = [];
  const masses: number[] = [];
  for (let i = 0; i <= cells; i++) {
    const point = low + i * width;
    const weight = i === 0 || i === cells ? 1 : i % 2 === 1 ? 4 : 2;
    points.push(point);
    masses.push((weight * width * densityAt(density, point - drift * dt, deviation)) / 3);
  }
  return { t, points, masses };
}

function densityAt({ points, masses }: ScoreDensity, score: number, deviation: number): number {
  let sum = 0;
  for (let i = 0; i < points.length; i++) {
    const z = (score - (points[i] as number)) / deviation;
    if (z < 12 && z > -12) sum += (masses[i] as number) * normalPdf(z);
  }
  return sum / deviation;
}
