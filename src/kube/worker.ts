import { SluiceError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { EpochMs } from '../base/units.ts';
import { DeadlinePassed, settlesWithin, withDeadline } from './deadline.ts';
import { KubeError } from './kube-error.ts';
import type { ObjectKey } from './resource.ts';
import { type AddOptions, type QueuePorts, Superseded, type Taken, WorkQueue } from './work-queue.ts';

/**
 * Makes the world agree with what is wanted for one key. Knows only the key, never the event; may be called again at any
 * time and must then do no harm. Answers when to look again (nothing: not before something changes). `signal` aborts at the
 * pass's deadline, when the worker stops, and when an urgent pass for the key is due; give it to every call.
 */
export type Reconcile = (key: ObjectKey, signal: AbortSignal) => Promise<{ readonly at?: EpochMs | undefined }>;

export type PassResult = 'done' | 'failed' | 'refused' | 'superseded';

export interface WorkerOptions {
  /** For the log and metrics. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Ordinary passes at a time; urgent ones are never counted and never wait. Default 16. */
  readonly concurrency?: number;
  /** Default 30_000. */
  readonly deadlineMs?: number;
  readonly onPass?: (result: PassResult, tookMs: number) => void;
}

export interface WorkerPorts extends QueuePorts {
  readonly logger: Logger;
}

/**
 * Runs passes for the keys of its queue. The one place that knows retry, backoff, deadlines and crashes of a pass: an
 * error whose `retry` is `never` waits for a change, `Retry-After` is kept, everything else is tried again with backoff.
 */
export class Worker {
  readonly #ports: WorkerPorts;
  readonly #options: WorkerOptions;
  readonly #queue: WorkQueue;
  readonly #running = new Set<Promise<void>>();
  #ordinaryRunning = 0;
  #pumping = false;
  #started = false;

  constructor(ports: WorkerPorts, options: WorkerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#queue = new WorkQueue(ports);
    this.#queue.onReady(() => this.#wake());
  }

  /** Keys that wait for a free place; for metrics. */
  get backlog(): number {
    return this.#queue.ready;
  }

  /** Keys may be added before `start`; they wait. */
  add(key: ObjectKey, options: AddOptions = {}): void {
    this.#queue.add(key, options);
  }

  start(): void {
    this.#started = true;
    this.#wake();
  }

  /**
   * Aborts all passes and answers whether they ended within `graceMs`, which is less than the 2 s that a leader has to stop.
   * For good: a new lease needs a new worker.
   */
  async stop(graceMs = 1_500): Promise<boolean> {
    this.#started = false;
    this.#queue.close(new Error('the worker was stopped'));
    const ended = await settlesWithin(this.#ports.clock, Promise.all(this.#running), graceMs);
    if (!ended) this.#ports.logger.error({ worker: this.#options.name }, 'a pass does not heed its signal');
    return ended;
  }

  /**
   * Not in the caller's own stack: an informer's handlers must all have run before a pass reads the caches. In a turn of the
   * event loop of its own, not as a microtask: a thousand passes that find nothing to do would keep out everything else.
   */
  #wake(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  /** Begins all urgent passes and one ordinary: answers, the lease and what is urgent have their turn before the next. */
  #pump(): void {
    const { concurrency = 16 } = this.#options;
    while (this.#started) {
      const taken = this.#queue.take(this.#ordinaryRunning >= concurrency);
      if (!taken) return;
      const cost = taken.urgent ? 0 : 1;
      this.#ordinaryRunning += cost;
      const pass = this.#pass(taken).finally(() => {
        this.#ordinaryRunning -= cost;
        this.#running.delete(pass);
        this.#wake();
      });
      this.#running.add(pass);
      if (taken.urgent) continue;
      this.#wake();
      return;
    }
  }

  async #pass({ key, signal }: Taken): Promise<void> {
    const { clock } = this.#ports;
    const { reconcile, deadlineMs = 30_000, onPass } = this.#options;
    const startedMs = clock.now();
    let result: PassResult = 'done';
    try {
      const { at } = await withDeadline(clock, signal, deadlineMs, (inner) => reconcile(key, inner));
      this.#queue.finish(key, { done: { at } });
    } catch (error) {
      result = this.#failed(key, signal, error);
    }
    onPass?.(result, clock.now() - startedMs);
  }

  #failed(key: ObjectKey, signal: AbortSignal, error: unknown): PassResult {
    if (signal.reason instanceof Superseded) {
      this.#queue.yieldTo(key);
      return 'superseded';
    }
    if (signal.aborted) {
      this.#queue.finish(key, { done: {} }); // stopped: nothing comes after
      return 'superseded';
    }
    const facts = { worker: this.#options.name, key, err: error };
    if (error instanceof SluiceError && error.retry === 'never') {
      this.#ports.logger.warn(facts, 'a pass failed and waits for a change');
      this.#queue.finish(key, { done: {} });
      return 'refused';
    }
    const expected = error instanceof SluiceError || error instanceof DeadlinePassed;
    this.#ports.logger[expected ? 'warn' : 'error'](facts, expected ? 'a pass failed' : 'a pass crashed: a bug');
    const notBeforeMs = error instanceof KubeError ? error.retryAfterMs : undefined;
    this.#queue.finish(key, { failed: notBeforeMs === undefined ? {} : { notBeforeMs } });
    return 'failed';
  }
}
