import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { type CustomObject, rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Informer } from '../../../src/kube/informer.ts';
import { keyOf } from '../../../src/kube/resource.ts';

type Phase = string | undefined;

/** Follows the phases of all Rollouts. */
export interface PhaseWatch {
  /** Resolves when the Rollout's phase is as wanted, now or later; rejects when the signal aborts. */
  reaches(key: string, wanted: (phase: Phase) => boolean, signal: AbortSignal): Promise<void>;
  all(keys: readonly string[], phase: string, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export async function followPhases(client: KubeClient): Promise<PhaseWatch> {
  const informer = new Informer<CustomObject>(
    { client, clock: systemClock, random: Math.random, logger: silent },
    { resource: rolloutsResource },
  );
  const read = (rollout: CustomObject | undefined) => (rollout?.status as { phase?: string } | undefined)?.phase;
  const waiting = new Map<string, Set<(phase: Phase) => void>>();
  informer.onChange((change) => {
    if (change.type === 'deleted') return;
    for (const tell of waiting.get(keyOf(change.after.metadata)) ?? []) tell(read(change.after));
  });
  informer.start();
  await informer.synced;
  const reaches: PhaseWatch['reaches'] = (key, wanted, signal) =>
    new Promise((resolve, reject) => {
      const present = () => read(informer.cache.getByKey(key));
      if (wanted(present())) return resolve();
      const mine = waiting.get(key) ?? new Set();
      waiting.set(key, mine);
      const leave = () => {
        mine.delete(tell);
        signal.removeEventListener('abort', stop);
      };
      const tell = (phase: Phase) => {
        if (!wanted(phase)) return;
        leave();
        resolve();
      };
      const stop = () => {
        leave();
        reject(new Error(`${key} is ${present()}`, { cause: signal.reason }));
      };
      mine.add(tell);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  return {
    reaches,
    all: async (keys, phase, signal) => {
      await Promise.all(keys.map((key) => reaches(key, (one) => one === phase, signal)));
    },
    stop: () => informer.stop(),
  };
}
