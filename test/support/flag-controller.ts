import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type Logger, silent } from '../../src/base/logger.ts';
import { seededRandom } from '../../src/base/random.ts';
import { FlagInformers } from '../../src/controllers/feature-flag/informers.ts';
import { loadInstallation } from '../../src/controllers/feature-flag/installation.ts';
import { type FlagCounts, FlagReconciler } from '../../src/controllers/feature-flag/reconcile.ts';
import { changesFlag } from '../../src/controllers/feature-flag/rollout-flags.ts';
import type { FlagSources } from '../../src/controllers/feature-flag/sources.ts';
import { type CustomObject, indexes, rolloutsResource } from '../../src/controllers/rollout/sources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Informer } from '../../src/kube/informer.ts';
import { Worker } from '../../src/kube/worker.ts';
import { RulesetHub } from '../../src/rulesets/hub.ts';
import type { SealedRuleset } from '../../src/wire/sealed-ruleset.ts';
import { FakeClock } from './fake-clock.ts';
import { makeClient } from './kube-client.ts';

/** What the operator's keeper of certificates would say. */
export const AUTHORITIES = { current: 'the first\n' };

export interface FlagController {
  readonly client: KubeClient;
  readonly sources: FlagSources;
  /** In the order in which evaluators would have got them. */
  readonly published: SealedRuleset[];
  readonly announced: string[];
  readonly hub: RulesetHub;
  /** Of the hub alone: what it reports every 10 s comes when a test says so. */
  readonly hubClock: FakeClock;
  readonly counts: Map<string, FlagCounts>;
  /** What was logged as an error. */
  readonly errors: string[];
  stop(): Promise<void>;
}

/** The FeatureFlag controller as the operator runs it, for the namespaces of one test; `home` is the operator's. */
export async function startFlagController(home: string, only: readonly string[]): Promise<FlagController> {
  const errors: string[] = [];
  const logger: Logger = { ...silent, error: (_facts, message) => void errors.push(message) };
  const ports = { client: makeClient(), clock: systemClock, random: seededRandom(1), logger };
  const published: SealedRuleset[] = [];
  const announced: string[] = [];
  const counts = new Map<string, FlagCounts>();
  let worker: Worker | undefined;
  const rollouts = new Informer<CustomObject, 'namespace'>(ports, {
    resource: rolloutsResource,
    indexes: { namespace: indexes.rollouts.namespace },
  });
  rollouts.onChange((change) => {
    const before = change.type === 'added' ? undefined : change.before;
    const after = change.type === 'deleted' ? undefined : change.after;
    if (!changesFlag(before, after)) return;
    for (const namespace of [home, (after ?? before)?.metadata.namespace ?? ''])
      if (only.includes(namespace)) worker?.add(namespace);
  });
  rollouts.start();
  await rollouts.synced;
  const informers = new FlagInformers(
    ports,
    { rollouts: rollouts.cache, home },
    (namespace) => only.includes(namespace) && worker?.add(namespace), // other files share this API server
    () => {},
  );
  informers.start();
  await informers.synced;
  const hubClock = new FakeClock(Date.now());
  const hub = new RulesetHub({ clock: hubClock, onReach: (namespace) => worker?.add(namespace) });
  const reconciler = new FlagReconciler({
    ...ports,
    sources: informers.sources,
    authorities: () => AUTHORITIES.current,
    loadInstallation: (signal) => loadInstallation(ports.client, home, signal),
    publish: (sealed, content) => {
      published.push(sealed);
      hub.publish(sealed, content);
    },
    withdraw: (namespace) => hub.withdraw(namespace),
    reach: (namespace) => hub.reach(namespace),
    hasPodsWithout: () => false,
    announce: (flag, type, reason) => announced.push(`${type} ${flag.metadata.name} ${reason}`),
    counted: (namespace, of) => void (of ? counts.set(namespace, of) : counts.delete(namespace)),
  });
  worker = new Worker(ports, { name: 'flags', reconcile: reconciler.reconcile });
  for (const namespace of only) worker.add(namespace);
  worker.start();
  const stop = async () => {
    hub.close();
    await worker?.stop();
    await informers.stop();
    await rollouts.stop();
  };
  onTestFinished(stop);
  return {
    client: ports.client,
    sources: informers.sources,
    published,
    announced,
    hub,
    hubClock,
    counts,
    errors,
    stop,
  };
}
