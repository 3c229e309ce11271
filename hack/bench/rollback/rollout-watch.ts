import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { type CustomObject, rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Informer } from '../../../src/kube/informer.ts';
import { keyOf } from '../../../src/kube/resource.ts';
import type { Manifest } from './rig.ts';

type Phase = string | undefined;

/** Follows all Rollouts. */
export class RolloutWatch {
  readonly #informer: Informer<CustomObject>;
  readonly #waiting = new Map<string, Set<(phase: Phase) => void>>();

  private constructor(client: KubeClient) {
    this.#informer = new Informer<CustomObject>(
      { client, clock: systemClock, random: Math.random, logger: silent },
      { resource: rolloutsResource },
    );
    this.#informer.onChange((change) => {
      if (change.type === 'deleted') return;
      const key = keyOf(change.after.metadata);
      for (const tell of this.#waiting.get(key) ?? []) tell(this.#status(key).phase);
    });
  }

  static async start(client: KubeClient): Promise<RolloutWatch> {
    const watch = new RolloutWatch(client);
    watch.#informer.start();
    await watch.#informer.synced;
    return watch;
  }

  #status(key: string): Manifest {
    return this.#informer.cache.getByKey(key)?.status ?? {};
  }

  /** The pod-template-hash of what is in flight. */
  canaryHashOf(key: string): string | undefined {
    return this.#status(key).inFlight?.hash;
  }

  /** Resolves when the Rollout's phase is as wanted, now or later; rejects when the signal aborts. */
  reaches(key: string, wanted: (phase: Phase) => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (wanted(this.#status(key).phase)) return resolve();
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const leave = () => {
        waiting.delete(tell);
        signal.removeEventListener('abort', stop);
      };
      const tell = (phase: Phase) => {
        if (!wanted(phase)) return;
        leave();
        resolve();
      };
      const stop = () => {
        leave();
        const { phase, reason, message } = this.#status(key);
        reject(new Error(`${key} is ${phase}: ${reason}, ${message}`, { cause: signal.reason }));
      };
      waiting.add(tell);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  async stop(): Promise<void> {
    await this.#informer.stop();
  }
}
