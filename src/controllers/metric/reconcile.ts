import { isDeepStrictEqual } from 'node:util';
import { type ConditionClaim, withConditions } from '../../api/condition.ts';
import { encodeMetricStatus, parseMetricStatus } from '../../api/parse.ts';
import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import { after, type DurationMs, type EpochMs } from '../../base/units.ts';
import { secrets } from '../../kube/builtins.ts';
import type { CacheReader } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CustomObject, metricsResource } from '../rollout/sources.ts';
import { judgeSecret, judgeText, type SecretFound, type SecretKey } from './judge-metric.ts';

/** Secrets are not watched: one that was missing is looked for again after this. */
const LOOK_AGAIN_MS = 60_000 as DurationMs;
const DEADLINE_MS = 2_000;

export interface MetricPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly metrics: CacheReader<CustomObject>;
}

/** Says in the status of a Metric whether it can be used, and writes only where that changed. */
export async function reconcileMetric(
  { client, clock, metrics }: MetricPorts,
  key: string,
  signal: AbortSignal,
): Promise<{ at?: EpochMs }> {
  const metric = metrics.getByKey(key);
  if (!metric || metric.metadata.deletionTimestamp !== undefined) return {};
  const { namespace, name, uid, resourceVersion, generation = 0 } = metric.metadata;
  const text = judgeText(metric);
  const lacking = text.claim.status === 'True' ? await findLacking(client, namespace, text.secrets, signal) : undefined;
  const now = clock.now();
  const next = nextStatus(metric.status, lacking ?? text.claim, generation, now);
  if (next) {
    const options = { signal, deadlineMs: DEADLINE_MS, subresource: 'status' as const };
    const preconditions = { uid, resourceVersion };
    await client.patch(
      metricsResource,
      { namespace, name },
      { merge: { status: next } },
      { ...options, preconditions },
    );
  }
  return lacking ? { at: after(now, LOOK_AGAIN_MS) } : {};
}

/** The status to write; undefined where it says so already. */
function nextStatus(written: unknown, claim: ConditionClaim, generation: number, now: EpochMs): object | undefined {
  const parsed = parseMetricStatus(written);
  const before = parsed.ok ? parsed.status : undefined;
  const conditions = withConditions(before?.conditions ?? [], [claim], generation, now);
  const next = { observedGeneration: generation, conditions };
  return isDeepStrictEqual(before, next) ? undefined : encodeMetricStatus(next);
}

async function findLacking(
  client: KubeClient,
  namespace: string | undefined,
  wanted: readonly SecretKey[],
  signal: AbortSignal,
): Promise<ConditionClaim | undefined> {
  for (const one of wanted) {
    const claim = judgeSecret(one, await look(client, namespace, one, signal));
    if (claim) return claim;
  }
  return undefined;
}

async function look(
  client: KubeClient,
  namespace: string | undefined,
  { name, key }: SecretKey,
  signal: AbortSignal,
): Promise<SecretFound> {
  try {
    const secret = await client.get(secrets, { namespace, name }, { signal, deadlineMs: DEADLINE_MS });
    return secret?.data?.[key] === undefined ? 'Missing' : 'Found';
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SLUICE_KUBE_DENIED') return 'Denied';
    throw error;
  }
}
