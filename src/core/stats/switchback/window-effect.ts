import { requireFinite, statsError } from '../errors.ts';
import { type EffectTest, type TestPlan, testEffect } from '../tests/effect-test.ts';

/** One number of one region or store in one time window, burn-in and burn-out dropped. */
export interface SwitchbackWindow {
  readonly cluster: string;
  /** Windows that are alike: hour of week, or day. */
  readonly season: string;
  readonly treated: boolean;
  readonly value: number;
}

/**
 * Least squares of value on treatment with cluster and season effects, its error robust to correlation inside clusters (CR1,
 * G − 1 degrees of freedom; Cameron & Miller 2015). Fixed effects are swept out by alternating projections. Needs two clusters;
 * with fewer than about ten take the p-value of `randomisationTest` instead (§2.18).
 */
export function windowEffect(windows: readonly SwitchbackWindow[], plan: TestPlan): EffectTest {
  const clusters = groupsBy(windows, ({ cluster }) => cluster);
  const seasons = groupsBy(windows, ({ season }) => season);
  if (clusters.length < 2) {
    throw statsError('SLUICE_STATS_TOO_FEW', 'the error needs two clusters: use the randomisation test', { needed: 2 });
  }
  const treatment = sweep(
    windows.map(({ treated }) => (treated ? 1 : 0)),
    [clusters, seasons],
  );
  const values = sweep(
    windows.map(({ value }) => requireFinite('value', value)),
    [clusters, seasons],
  );
  const information = dot(treatment, treatment);
  if (information < 1e-9 * windows.length) {
    throw statsError('SLUICE_STATS_NO_VARIANCE', 'treatment does not vary within clusters and seasons', {});
  }
  const estimate = dot(treatment, values) / information;
  const scores = clusters.map((members) =>
    members.reduce((sum, i) => sum + at(treatment, i) * (at(values, i) - estimate * at(treatment, i)), 0),
  );
  const inflation = clusters.length / (clusters.length - 1);
  const standardError = Math.sqrt(inflation * dot(scores, scores)) / information;
  if (standardError === 0) throw statsError('SLUICE_STATS_NO_VARIANCE', 'nothing is left to estimate the error', {});
  return testEffect({ estimate, standardError, df: clusters.length - 1 }, plan);
}

type Groups = readonly (readonly number[])[];

function groupsBy(windows: readonly SwitchbackWindow[], key: (window: SwitchbackWindow) => string): Groups {
  const groups = new Map<string, number[]>();
  for (const [i, window] of windows.entries()) {
    const members = groups.get(key(window)) ?? [];
    members.push(i);
    groups.set(key(window), members);
  }
  return [...groups.values()];
}

/** Subtracts group means in turn until nothing changes: the residual after all group effects. */
function sweep(start: readonly number[], factors: readonly Groups[]): readonly number[] {
  const values = [...start];
  const scale = Math.max(...start.map(Math.abs), 1e-300);
  for (let round = 0; round < 1000; round++) {
    let change = 0;
    for (const members of factors.flat()) {
      const mean = members.reduce((sum, i) => sum + at(values, i), 0) / members.length;
      for (const i of members) values[i] = at(values, i) - mean;
      change = Math.max(change, Math.abs(mean));
    }
    if (change < 1e-13 * scale) return values;
  }
  throw statsError('SLUICE_STATS_NO_ROOT', 'cluster and season effects did not separate', {});
}

const at = (values: readonly number[], i: number) => values[i] as number;
const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * at(y, i), 0);
