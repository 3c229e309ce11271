import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { EpochMs } from '../base/units.ts';
import { Cache, type CacheReader, type Change, type IndexBy } from './cache.ts';
import type { KubeClient, Selection, WatchEvent } from './client.ts';
import { KubeError } from './kube-error.ts';
import { type KubeObject, keyOf, type Resource } from './resource.ts';

const BACKOFF = { firstMs: 200, maxMs: 10_000 };
/** The API server sends a bookmark about once a minute, so a watch that is silent for longer leads nowhere. */
const SILENT_MS = 90_000;
/** A list is many calls; one that crawls for longer than this per page is better begun anew. */
const PAGE_DEADLINE_MS = 30_000;

export interface InformerPorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface InformerOptions<T extends KubeObject, Index extends string = never> extends Selection {
  readonly resource: Resource<T>;
  /** What of an object is kept; runs once per arriving object. Default: all but `metadata.managedFields`. */
  readonly prune?: (object: T) => T;
  readonly indexes?: Readonly<Record<Index, IndexBy<T>>>;
  /** A watch that said nothing for this long is cut and opened again. Default 90_000. */
  readonly silentMs?: number;
  /** Called with why each time that the watch or list was broken off by anything but `stop`; for metrics. */
  readonly onBreak?: (cause: 'expired' | 'failed' | 'silent') => void;
}

/**
 * Keeps a cache equal to a selection of objects: list, then watch from there. A broken watch goes on where it ended; an
 * expired version (410) lists again and tells only the differences. Handlers never see an object deleted twice.
 */
export class Informer<T extends KubeObject, Index extends string = never> {
  readonly cache: CacheReader<T, Index>;
  /** Resolves once the first list is in the cache; rejects when stopped before. */
  readonly synced: Promise<void>;
  readonly #ports: InformerPorts;
  readonly #options: InformerOptions<T, Index>;
  readonly #store: Cache<T, Index>;
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #first = Promise.withResolvers<void>();
  readonly #end = new AbortController();
  #run: Promise<void> | undefined;
  /** Where a watch may begin; '' = list first. */
  #version = '';
  #failures = 0;
  /** `Retry-After` of the last failure. */
  #askedToWaitMs = 0;
  #hasSynced = false;
  #lastSeen: EpochMs | undefined;

  constructor(ports: InformerPorts, options: InformerOptions<T, Index>) {
    this.#ports = ports;
    this.#options = options;
    this.#store = new Cache<T, Index>(options.indexes ?? ({} as Record<Index, IndexBy<T>>));
    this.cache = this.#store;
    this.synced = this.#first.promise;
    this.synced.catch(() => {}); // stopping before the first list is no unhandled rejection
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** When the API server was last heard, by list, event or bookmark. */
  get lastSeen(): EpochMs | undefined {
    return this.#lastSeen;
  }

  /** Calls `handler` for every change from now on, in order, while the cache already holds it. Handlers only enqueue. */
  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  start(): void {
    this.#run ??= this.#loop(this.#end.signal);
  }

  /** Answers when the connection is closed and no handler will be called any more. */
  async stop(): Promise<void> {
    this.#end.abort(new Error('the informer was stopped'));
    this.#first.reject(this.#end.signal.reason);
    await this.#run;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    while (!signal.aborted) {
      try {
        if (this.#version === '') await this.#list(signal);
        await this.#watch(signal);
        this.#failures += 1; // ended at once without a word: not a hot loop; any event sets this back to 0
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        this.#noteBreak(error);
      }
      const waitMs = this.#failures <= 1 ? 0 : backoffMs(this.#failures - 1, BACKOFF, random);
      await sleep(clock, Math.max(waitMs, this.#askedToWaitMs), signal).catch(() => {});
      this.#askedToWaitMs = 0;
    }
  }

  #noteBreak(error: unknown): void {
    const { onBreak, resource } = this.#options;
    const expired = error instanceof KubeError && error.code === 'SLUICE_KUBE_EXPIRED';
    const silent = error instanceof SilentWatch;
    // A server that cannot serve this version may say so in other ways than 410 (504 after a restored backup): after some
    // such answers start anew. A server that does not answer at all is no reason to list everything again.
    const answered = error instanceof KubeError && error.httpStatus !== 0;
    if (expired || (answered && this.#failures >= 5)) this.#version = '';
    if (error instanceof KubeError) this.#askedToWaitMs = error.retryAfterMs ?? 0;
    onBreak?.(expired ? 'expired' : silent ? 'silent' : 'failed');
    const facts = { plural: resource.plural, failures: this.#failures, err: error };
    this.#ports.logger[this.#failures > 2 ? 'warn' : 'debug'](facts, 'a list or watch broke off');
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client } = this.#ports;
    const { resource } = this.#options;
    const objects: T[] = [];
    let version = '';
    // No resourceVersion: a consistent read. "0" may answer from a cache that is behind what this process saw before.
    for await (const page of client.pages(resource, this.#options, { signal, deadlineMs: PAGE_DEADLINE_MS })) {
      for (const object of page.items) objects.push(this.#prune(object));
      version = page.resourceVersion;
      this.#seen();
    }
    for (const change of this.#store.replaceAll(objects)) this.#tell(change);
    this.#version = version;
    this.#failures = 0;
    this.#hasSynced = true;
    this.#first.resolve();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#ports;
    const watching = new AbortController();
    const stop = () => watching.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    let cancel = () => {};
    const rearm = () => {
      cancel();
      cancel = clock.after(this.#options.silentMs ?? SILENT_MS, () => watching.abort(new SilentWatch()));
    };
    rearm();
    try {
      const options = { ...this.#options, resourceVersion: this.#version, signal: watching.signal };
      for await (const event of client.watch(this.#options.resource, options)) {
        if (watching.signal.aborted) return;
        rearm();
        this.#take(event);
      }
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  #take(event: WatchEvent<T>): void {
    this.#seen();
    this.#failures = 0;
    if (event.type === 'BOOKMARK') {
      this.#version = event.resourceVersion;
      return;
    }
    const { object } = event;
    const change =
      event.type === 'DELETED' ? this.#store.remove(keyOf(object.metadata)) : this.#store.put(this.#prune(object));
    this.#version = object.metadata.resourceVersion ?? '';
    if (change) this.#tell(change);
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (err) {
        this.#ports.logger.error({ plural: this.#options.resource.plural, err }, 'a handler of changes threw');
      }
    }
  }

  #prune(object: T): T {
    return (this.#options.prune ?? withoutManagedFields)(object);
  }

  #seen(): void {
    this.#lastSeen = this.#ports.clock.now();
  }
}

class SilentWatch extends Error {
  constructor() {
    super('the watch said nothing for too long');
  }
}

/** Managed fields are a third of a typical object, and nobody decides by them. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
