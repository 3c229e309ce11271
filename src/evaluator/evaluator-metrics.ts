import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Clock } from '../base/clock.ts';
import type { RulesetHolder } from '../rulesets/holder.ts';
import type { EvaluationCounts } from './evaluation-counts.ts';
import type { EventStreams } from './event-stream.ts';
import type { Load } from './load.ts';

export interface MeasuredParts {
  readonly holder: RulesetHolder;
  readonly clock: Clock;
  readonly counts: EvaluationCounts;
  /** Of each server. */
  readonly streams: readonly EventStreams[];
  /** Of each server. */
  readonly loads: readonly Load[];
  /** Writes of the last-good file that failed. */
  readonly lastGoodFailures: () => number;
}

/** What an evaluator tells of itself. Read when it is asked for, so that evaluations pay nothing for it. */
export function evaluatorMetrics(parts: MeasuredParts): Registry {
  const registry = new Registry();
  const registers = [registry];
  const { holder, counts, clock } = parts;
  collectDefaultMetrics({ register: registry });
  new Counter({
    name: 'sluice_flag_evaluations_total',
    help: 'Answers by flag, variant and reason; for failures the error code is the reason. Unknown keys have no flag.',
    labelNames: ['flag', 'variant', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { count, ...labels } of counts.entries()) this.inc(labels, count);
    },
  });
  new Counter({
    name: 'sluice_rulesets_refused_total',
    help: 'Rulesets and files that could not be used, by error code.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of holder.refusals) this.inc({ code }, count);
    },
  });
  countOf(registry, 'sluice_requests_refused_total', 'Requests answered by 429.', () =>
    parts.loads.reduce((sum, { refused }) => sum + refused, 0),
  );
  countOf(registry, 'sluice_last_good_failures_total', 'Writes of the last-good file that failed.', () =>
    parts.lastGoodFailures(),
  );
  gaugeOf(registry, 'sluice_ruleset_revision', 'Revision that answers.', () => holder.current?.compiled.revision);
  gaugeOf(registry, 'sluice_ruleset_flags', 'Flags in it.', () => holder.current?.compiled.flags.size);
  gaugeOf(registry, 'sluice_ruleset_stale', '1 when there may be a newer ruleset.', () => (holder.stale ? 1 : 0));
  gaugeOf(registry, 'sluice_ruleset_age_seconds', 'Since it was last known that there is no newer ruleset.', () =>
    holder.newsAt === undefined ? undefined : (clock.now() - holder.newsAt) / 1000,
  );
  gaugeOf(registry, 'sluice_event_streams', 'Open event streams.', () =>
    parts.streams.reduce((sum, { size }) => sum + size, 0),
  );
  return registry;
}

function countOf(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** Without a series while there is nothing to say. */
function gaugeOf(registry: Registry, name: string, help: string, read: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}
