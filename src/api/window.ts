import type { DurationMs } from '../base/units.ts';
import type { PrometheusQuery } from './metric.ts';

const SHORTEST_DEFAULT_MS = 60_000;
const SCRAPES_PER_WINDOW = 4;

/** Time that one answer covers where neither guardrail nor metric says so: four scrapes, and a minute at least. */
export function defaultWindow({ scrapeInterval }: Pick<PrometheusQuery, 'scrapeInterval'>): DurationMs {
  return Math.max(SHORTEST_DEFAULT_MS, SCRAPES_PER_WINDOW * scrapeInterval) as DurationMs;
}
