import { randomBytes } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { RulesetHolder } from '../../rulesets/holder.ts';
import type { EvaluationCounts } from '../evaluation-counts.ts';
import { CheckMetrics } from './check-metrics.ts';
import { readCheckRequest } from './check-request.ts';
import { type CheckServer, startCheckServer } from './check-server.ts';
import { routeRequest } from './route-request.ts';

export interface ExtAuthzPorts {
  readonly holder: RulesetHolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: EvaluationCounts;
  readonly registry: Registry;
}

/** The evaluator as a gateway asks it for each request. Nothing is exposed here: who routes has shown nothing yet. */
export function startExtAuthz(
  at: { readonly host: string; readonly port: number },
  { holder, clock, logger, counts, registry }: ExtAuthzPorts,
): Promise<CheckServer> {
  const metrics = new CheckMetrics(registry);
  return startCheckServer(at, {
    clock,
    logger,
    route: (message) =>
      routeRequest(message && readCheckRequest(message), {
        held: holder.current,
        nowMs: clock.now(),
        randomBytes,
        count: (key, answer) => counts.count(key, answer),
      }),
    answered: (decision, seconds) => metrics.answered(decision, seconds),
  });
}
