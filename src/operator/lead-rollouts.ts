import { reconcileMetric } from '../controllers/metric/reconcile.ts';
import { GuardrailPoller } from '../controllers/rollout/guardrail-poller.ts';
import type { RolloutInformers } from '../controllers/rollout/informers.ts';
import { ProviderPool } from '../controllers/rollout/provider-pool.ts';
import { RolloutReconciler } from '../controllers/rollout/reconcile.ts';
import type { EventRecorder } from '../kube/events.ts';
import { keyOf } from '../kube/resource.ts';
import { Worker } from '../kube/worker.ts';
import type { OperatorMetrics } from '../server/operator-metrics.ts';
import type { Surroundings } from './surroundings.ts';

interface RolloutParts {
  readonly informers: RolloutInformers;
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
}

/** All Rollouts, from now until `stop`. */
export function leadRollouts(
  { client, clock, random, logger, config }: Surroundings,
  { informers, recorder, metrics }: RolloutParts,
): { readonly worker: Worker; stop(): Promise<void> } {
  const pool = new ProviderPool({
    client,
    clock,
    defaultAddress: config.prometheus.address ?? 'http://prometheus.monitoring:9090',
  });
  const poller = new GuardrailPoller({
    clock,
    logger,
    pool,
    sampled: (key, harm) => worker.add(key, { urgent: harm }),
  });
  const reconciler = new RolloutReconciler({
    client,
    sources: informers.sources,
    clock,
    logger,
    poller,
    announce: (about, told) => {
      for (const { type, reason, message } of told)
        recorder.record({ about, type, reason, action: reason, note: message });
    },
    decided: (key, seen, decision) => metrics.decided(key, seen, decision, clock.now()),
    gone: (key) => metrics.forget(key),
  });
  const worker = new Worker(
    { clock, random, logger },
    {
      name: 'rollouts',
      reconcile: reconciler.reconcile,
      onPass: (result, tookMs) => metrics.passed(result, tookMs),
    },
  );
  for (const rollout of informers.sources.rollouts.list()) worker.add(keyOf(rollout.metadata));
  worker.start();
  const stopAll = async () => {
    await worker.stop();
    poller.stop();
    pool.close();
  };
  return { worker, stop: stopAll };
}

/** All Metrics, from now until the worker is stopped. */
export function leadMetrics(
  { client, clock, random, logger }: Surroundings,
  { sources: { metrics } }: RolloutInformers,
): Worker {
  const ports = { clock, random, logger };
  const worker = new Worker(ports, {
    name: 'metrics',
    reconcile: (key, signal) => reconcileMetric({ client, clock, metrics }, key, signal),
  });
  for (const metric of metrics.list()) worker.add(keyOf(metric.metadata));
  worker.start();
  return worker;
}
