import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Informer } from '../../../src/kube/informer.ts';
import { type KubeObject, keyOf, type Resource } from '../../../src/kube/resource.ts';

/** Which rollout an object routes for, `namespace/name`, and what share the canary has; undefined for objects of others. */
export type ReadWeight<T> = (object: T) => { readonly key: string; readonly percent: number } | undefined;

/** Follows shares by a watch of its own, and when each change arrived. */
export class WeightWatch<T extends KubeObject> {
  readonly #informer: Informer<T>;
  readonly #percent = new Map<string, number>();
  readonly #waiting = new Map<string, Set<(percent: number, atMs: number) => void>>();

  private constructor(client: KubeClient, resource: Resource<T>, read: ReadWeight<T>) {
    this.#informer = new Informer<T>(
      { client, clock: systemClock, random: Math.random, logger: silent },
      { resource, prune: (object) => object },
    );
    this.#informer.onChange((change) => {
      const atMs = performance.now();
      if (change.type === 'deleted') return;
      const weight = read(change.after);
      if (!weight) return;
      this.#percent.set(weight.key, weight.percent);
      for (const tell of this.#waiting.get(weight.key) ?? []) tell(weight.percent, atMs);
    });
  }

  /** Answers when everything that is there has been read. */
  static async start<T extends KubeObject>(
    client: KubeClient,
    resource: Resource<T>,
    read: ReadWeight<T>,
  ): Promise<WeightWatch<T>> {
    const watch = new WeightWatch(client, resource, read);
    watch.#informer.start();
    await watch.#informer.synced;
    return watch;
  }

  /** 0 where nothing was seen of the rollout yet. */
  percentOf(key: string): number {
    return this.#percent.get(key) ?? 0;
  }

  /** When (performance.now()) the weight was seen to be as wanted, from now on or already; rejects with the signal's reason. */
  reaches(key: string, wanted: (percent: number) => boolean, signal: AbortSignal): Promise<number> {
    const present = this.#percent.get(key);
    if (present !== undefined && wanted(present)) return Promise.resolve(performance.now());
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const leave = () => {
        waiting.delete(tell);
        signal.removeEventListener('abort', stop);
      };
      const tell = (percent: number, atMs: number) => {
        if (!wanted(percent)) return;
        leave();
        resolve(atMs);
      };
      const stop = () => {
        leave();
        reject(new Error(`${key} stays at ${this.percentOf(key)} %`, { cause: signal.reason }));
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

/** For the key of an object that is named like its rollout. */
export const sameKey = ({ metadata }: KubeObject): string => keyOf(metadata);
