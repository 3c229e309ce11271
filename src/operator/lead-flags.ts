import type { FlagInformers } from '../controllers/feature-flag/informers.ts';
import { loadInstallation } from '../controllers/feature-flag/installation.ts';
import { FlagReconciler } from '../controllers/feature-flag/reconcile.ts';
import { changesFlag } from '../controllers/feature-flag/rollout-flags.ts';
import type { PodsWithoutSidecar } from '../controllers/injection/pods-without-sidecar.ts';
import type { EvaluatorReach } from '../controllers/rollout/evaluator-reach.ts';
import type { EventRecorder } from '../kube/events.ts';
import { Worker } from '../kube/worker.ts';
import type { OperatorMetrics } from '../server/operator-metrics.ts';
import type { LeadersHub } from '../server/shared-rulesets.ts';
import { RulesetClaims } from './ruleset-claims.ts';
import type { Surroundings } from './surroundings.ts';

interface FlagParts {
  readonly informers: FlagInformers;
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly hub: LeadersHub;
  readonly evaluators: EvaluatorReach;
  readonly lacking: PodsWithoutSidecar;
  readonly authorities: () => string;
}

/** All FeatureFlags, by namespace, from now until the worker is stopped. */
export function leadFlags(
  { client, clock, random, logger, namespace }: Surroundings,
  { informers, recorder, metrics, hub, evaluators, lacking, authorities }: FlagParts,
  leading: AbortSignal,
): Worker {
  const reconciler = new FlagReconciler({
    client,
    sources: informers.sources,
    loadInstallation: (signal) => loadInstallation(client, namespace, signal),
    authorities,
    clock,
    logger,
    publish: (sealed, content) => {
      const { flagSetId, revision, flags } = sealed.ruleset;
      hub.publish(sealed, content);
      if (flagSetId === namespace) evaluators.published(sealed.ruleset);
      const facts = { flagSetId, revision, digest: sealed.digest, flags: Object.keys(flags).length };
      logger.info(facts, 'evaluators are given this ruleset');
    },
    withdraw: (flagSetId) => hub.withdraw(flagSetId),
    reach: (flagSetId) => hub.reach(flagSetId),
    hasPodsWithout: (flagSet) => lacking.countIn(flagSet) > 0,
    announce: (about, type, reason, note) => recorder.record({ about, type, reason, action: reason, note }),
    counted: (flagSet, counts) => metrics.flagsCounted(flagSet, counts),
  });
  const worker = new Worker(
    { clock, random, logger },
    { name: 'flags', reconcile: reconciler.reconcile, onPass: (result, tookMs) => metrics.passed(result, tookMs) },
  );
  const begin = () => {
    if (leading.aborted) return;
    const { flags, snapshots, rollouts } = informers.sources;
    const sticky = [...rollouts.list()].filter((rollout) => changesFlag(undefined, rollout));
    for (const { metadata } of [...flags.list(), ...snapshots.list(), ...sticky]) worker.add(metadata.namespace ?? '');
    if (sticky.length > 0) worker.add(namespace);
    worker.start();
    new RulesetClaims({ client, logger, snapshots }, leading).add(namespace);
  };
  // Where the definition of FeatureFlags is not installed yet, Rollouts must not wait for it.
  informers.synced.then(begin, () => {}); // stopped before
  return worker;
}
