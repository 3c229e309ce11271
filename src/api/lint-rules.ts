import type { DurationMs } from '../base/units.ts';
import { formatDuration } from './duration.ts';
import type { Guardrail } from './guardrail.ts';
import type { MetricSpec, PrometheusQuery } from './metric.ts';
import { type Problem, problem } from './problem.ts';
import type { RolloutSpec } from './rollout.ts';
import { defaultWindow } from './window.ts';

/** The Metric of a name, where it is known. */
export type MetricNamed = (name: string) => MetricSpec | undefined;

/** One doubt about a spec that is valid: works, but hardly as its author thinks. */
type Rule = (spec: RolloutSpec, metricNamed: MetricNamed) => Problem[];

/** All doubts about a valid Rollout. Guardrails whose Metric is not known are judged by what they say themselves. */
export function lintRollout(spec: RolloutSpec, metricNamed: MetricNamed): Problem[] {
  return rules.flatMap((rule) => rule(spec, metricNamed));
}

/** All doubts about a valid Metric. */
export function lintMetric({ window, provider }: MetricSpec): Problem[] {
  return windowTooShort(window, provider.prometheus, ['spec', 'window']);
}

const noGuardrails: Rule = ({ guardrails }) =>
  guardrails.length > 0
    ? []
    : [problem('SLUICE_LINT_NO_GUARDRAILS', ['spec', 'guardrails'], 'no guardrail watches this rollout')];

const shortWindows: Rule = ({ guardrails }, metricNamed) =>
  guardrails.flatMap((guardrail, index) => {
    const query = queryOf(guardrail, metricNamed);
    return query ? windowTooShort(guardrail.window, query, ['spec', 'guardrails', index, 'window']) : [];
  });

const shortHolds: Rule = ({ steps, guardrails }, metricNamed) => {
  const longest = Math.max(0, ...guardrails.map((guardrail) => windowOf(guardrail, metricNamed) ?? 0));
  return steps.flatMap(({ hold }, index) => {
    if (hold === undefined || hold >= longest) return [];
    const message = `${formatDuration(hold)} is shorter than the longest window of the guardrails, which must fit into the step for a sample to count`;
    return [problem('SLUICE_LINT_HOLD_SHORTER_THAN_WINDOW', ['spec', 'steps', index, 'hold'], message)];
  });
};

const longIntervals: Rule = ({ guardrails }, metricNamed) =>
  guardrails.flatMap((guardrail, index) => {
    const window = windowOf(guardrail, metricNamed);
    if (window === undefined || guardrail.interval <= window) return [];
    const message = `${formatDuration(guardrail.interval)} is longer than the window of ${formatDuration(window)}: it is asked once a window, for a hold needs evidence without gaps`;
    return [problem('SLUICE_LINT_INTERVAL_LONGER_THAN_WINDOW', ['spec', 'guardrails', index, 'interval'], message)];
  });

const endsBelow100: Rule = ({ steps }) => {
  const last = steps.findLastIndex((step) => step.weight !== undefined);
  const weight = steps[last]?.weight ?? 0;
  if (weight === 100) return [];
  const path = last < 0 ? ['spec', 'steps'] : ['spec', 'steps', last, 'weight'];
  return [problem('SLUICE_LINT_LAST_WEIGHT_BELOW_100', path, `promotion goes from ${weight} to 100 at once`)];
};

const shadowAfterWeight: Rule = ({ steps }) => {
  const firstWeight = steps.findIndex((step) => step.weight !== undefined);
  return steps.flatMap((step, index) =>
    step.shadow && firstWeight >= 0 && index > firstWeight
      ? [
          problem(
            'SLUICE_LINT_SHADOW_AFTER_WEIGHT',
            ['spec', 'steps', index, 'shadow'],
            `mirrors to a canary that serves users since step ${firstWeight + 1}`,
          ),
        ]
      : [],
  );
};

const idleFailures: Rule = ({ guardrails }) =>
  guardrails.flatMap(({ severity, failures }, index) =>
    severity === 'Critical' && (failures.count !== 2 || failures.within !== 3)
      ? [
          problem(
            'SLUICE_LINT_CRITICAL_WITH_FAILURES',
            ['spec', 'guardrails', index, 'failures'],
            'has no effect: a guardrail of severity Critical breaches at the first sample out of bounds',
          ),
        ]
      : [],
  );

const unsafeShadows: Rule = ({ steps }) =>
  steps.flatMap(({ shadow }, index) => {
    const unsafe = shadow?.methods.filter((method) => method !== 'GET' && method !== 'HEAD') ?? [];
    if (unsafe.length === 0) return [];
    const message = `copies ${unsafe.join(', ')} requests: what they change happens twice`;
    return [problem('SLUICE_LINT_SHADOW_UNSAFE_METHODS', ['spec', 'steps', index, 'shadow', 'methods'], message)];
  });

const idleStickiness: Rule = ({ traffic, steps }) => {
  const shares = steps.some(({ weight }) => weight !== undefined && weight > 0 && weight < 100);
  if (!traffic.stickiness || shares) return [];
  const message = 'has no effect: no step gives the canary a share between 0 and 100 %';
  return [problem('SLUICE_LINT_STICKINESS_IDLE', ['spec', 'traffic', 'stickiness'], message)];
};

/** In the order in which they are told. */
const rules: readonly Rule[] = [
  noGuardrails,
  shortWindows,
  shortHolds,
  longIntervals,
  endsBelow100,
  shadowAfterWeight,
  idleFailures,
  unsafeShadows,
  idleStickiness,
];

function windowTooShort(
  window: MetricSpec['window'],
  { scrapeInterval }: PrometheusQuery,
  path: readonly PropertyKey[],
): Problem[] {
  if (window === undefined || window >= 2 * scrapeInterval) return [];
  const message = `${formatDuration(window)} holds fewer than two scrapes of ${formatDuration(scrapeInterval)}: a rate over it is empty`;
  return [problem('SLUICE_LINT_WINDOW_TOO_SHORT', path, message)];
}

function queryOf({ query, metric }: Guardrail, metricNamed: MetricNamed): PrometheusQuery | undefined {
  return query ?? (metric === undefined ? undefined : metricNamed(metric)?.provider.prometheus);
}

function windowOf(guardrail: Guardrail, metricNamed: MetricNamed): DurationMs | undefined {
  if (guardrail.window !== undefined) return guardrail.window;
  const metric = guardrail.metric === undefined ? undefined : metricNamed(guardrail.metric);
  if (metric?.window !== undefined) return metric.window;
  const query = queryOf(guardrail, metricNamed);
  return query && defaultWindow(query);
}
