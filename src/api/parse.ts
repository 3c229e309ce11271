import { z } from 'zod';
import { isWithinBytes, MAX_OBJECT_BYTES } from './bounded-size.ts';
import { type FeatureFlagStatus, featureFlagStatusSchema, MAX_HISTORY_BYTES } from './feature-flag-status.ts';
import { type MetricStatus, metricStatusSchema } from './metric.ts';
import { type Problem, problem, problemsOf } from './problem.ts';
import {
  type FeatureFlag,
  featureFlagResource,
  type Metric,
  metricResource,
  type Rollout,
  rolloutResource,
} from './resource.ts';
import { type RolloutStatus, rolloutStatusSchema } from './rollout-status.ts';

export interface Refused {
  readonly ok: false;
  /** At least one, at most 50. */
  readonly problems: readonly Problem[];
}

/**
 * A Rollout as it came from the API server or a file: defaults filled in, durations in milliseconds. Its status is left
 * aside, so that a spec can be read whatever stands there, and the other way round. Objects over 256 KiB are refused.
 */
export function parseRollout(object: unknown): { readonly ok: true; readonly rollout: Rollout } | Refused {
  const parsed = parse(rolloutResource.object, object);
  return parsed.ok ? { ok: true, rollout: parsed.value } : parsed;
}

/** A Metric as it came from the API server or a file; like `parseRollout`. */
export function parseMetric(object: unknown): { readonly ok: true; readonly metric: Metric } | Refused {
  const parsed = parse(metricResource.object, object);
  return parsed.ok ? { ok: true, metric: parsed.value } : parsed;
}

/**
 * A FeatureFlag as it came from the API server or a file; like `parseRollout`. Names that it uses are defined in it, and its
 * values have its type; whether its comparisons make sense, and other flags that it names, is for the compiler to say.
 */
export function parseFeatureFlag(object: unknown): { readonly ok: true; readonly flag: FeatureFlag } | Refused {
  const parsed = parse(featureFlagResource.object, object);
  return parsed.ok ? { ok: true, flag: parsed.value } : parsed;
}

/** The field `status` of a Rollout; undefined is the status of one that was just made. */
export function parseRolloutStatus(status: unknown): { readonly ok: true; readonly status: RolloutStatus } | Refused {
  const parsed = parse(rolloutStatusSchema, status ?? {}, ['status']);
  return parsed.ok ? { ok: true, status: parsed.value } : parsed;
}

/** The field `status` of a Metric; undefined is the status of one that was just made. */
export function parseMetricStatus(status: unknown): { readonly ok: true; readonly status: MetricStatus } | Refused {
  const parsed = parse(metricStatusSchema, status ?? {}, ['status']);
  return parsed.ok ? { ok: true, status: parsed.value } : parsed;
}

/** The field `status` of a FeatureFlag; undefined is the status of one that was just made. */
export function parseFeatureFlagStatus(
  status: unknown,
): { readonly ok: true; readonly status: FeatureFlagStatus } | Refused {
  const parsed = parse(featureFlagStatusSchema, status ?? {}, ['status'], MAX_STATUS_BYTES);
  return parsed.ok ? { ok: true, status: parsed.value } : parsed;
}

/** The status as it is written to the API server: times and durations as text, long messages cut. Throws for a status out of its schema. */
export const encodeRolloutStatus = (status: RolloutStatus) => z.encode(rolloutStatusSchema, status);

/** Like `encodeRolloutStatus`, for a Metric. */
export const encodeMetricStatus = (status: MetricStatus) => z.encode(metricStatusSchema, status);

/** Like `encodeRolloutStatus`, for a FeatureFlag. */
export const encodeFeatureFlagStatus = (status: FeatureFlagStatus) => z.encode(featureFlagStatusSchema, status);

/** Room for a history, the present and the last good spec, which may each be as large as an object. */
const MAX_STATUS_BYTES = 2 * MAX_OBJECT_BYTES + MAX_HISTORY_BYTES;

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  prefix: readonly string[] = [],
  maxBytes = MAX_OBJECT_BYTES,
): { ok: true; value: z.output<Schema> } | Refused {
  if (!isWithinBytes(withoutOthersParts(value), maxBytes)) {
    const message = `is larger than ${maxBytes} bytes`;
    return { ok: false, problems: [problem('SLUICE_OBJECT_TOO_LARGE', prefix, message)] };
  }
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: problemsOf(result.error, prefix) };
}

/** The API server's own bookkeeping grows with every manager, and a status with what happens: both are nobody's fault. */
function withoutOthersParts(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return value;
  const { metadata, ...rest } = value;
  return { ...rest, status: undefined, metadata: { ...(metadata as object), managedFields: undefined } };
}
