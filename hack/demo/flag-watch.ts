import { setTimeout as delay } from 'node:timers/promises';
import type { FlagAnswer } from '../../examples/shop/flags.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/logger.ts';
import type { EpochMs } from '../../src/base/units.ts';
import { type Pod, pods } from '../../src/kube/builtins.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { Informer } from '../../src/kube/informer.ts';
import { waitFor } from '../cluster/wait.ts';

export interface FlagWatchOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Keys that every pod is asked for, again and again. */
  readonly flags: readonly string[];
  readonly user: string;
  readonly onChange?: (pod: string, flag: string, answer: FlagAnswer) => void;
}

/** The last answer of a pod, and since when it is the same. */
interface Told {
  readonly answer: FlagAnswer;
  readonly since: EpochMs;
}

const PAUSE_MS = 25;
const PATIENCE_MS = 180_000;

/** Asks every ready pod of the shop what a user gets, all the time, from inside the cluster's network. */
export class FlagWatch {
  /** Questions that were answered by a flag, and those that were not: no HTTP answer, or the default in the shop's code. */
  asked = 0;
  unanswered = 0;
  readonly #options: FlagWatchOptions;
  readonly #pods: Informer<Pod>;
  readonly #told = new Map<string, Map<string, Told>>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #end = new AbortController();

  constructor(options: FlagWatchOptions) {
    this.#options = options;
    const { client, namespace } = options;
    const ports = { client, clock: systemClock, random: Math.random, logger: silent };
    this.#pods = new Informer(ports, { resource: pods, namespace, labelSelector: 'app=shop' });
    this.#pods.onChange((change) => {
      if (change.type === 'deleted') this.#told.delete(change.before.metadata.name);
      else if (isReady(change.after)) this.#begin(change.after.metadata.name);
    });
  }

  async start(): Promise<void> {
    this.#pods.start();
    await this.#pods.synced;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all([this.#pods.stop(), ...this.#asking.values()]);
  }

  /** Of a pod and a flag. */
  answer(pod: string, flag: string): FlagAnswer | undefined {
    return this.#told.get(pod)?.get(flag)?.answer;
  }

  /** Waits until so many pods, and no others, answer as wanted; answers the name of each and since when it does. */
  async all(flag: string, count: number, isWanted: (answer: FlagAnswer) => boolean): Promise<Map<string, EpochMs>> {
    const probe = async () => {
      const ready = [...this.#pods.cache.list()].filter(isReady).map(({ metadata }) => metadata.name);
      if (ready.length !== count) throw new Error(`${ready.length} pods are ready`);
      const told = ready.map((pod) => [pod, this.#told.get(pod)?.get(flag)] as const);
      const other = told.find(([, one]) => one === undefined || !isWanted(one.answer));
      if (other) throw new Error(`${other[0]} says ${JSON.stringify(other[1]?.answer)}`);
      return new Map(told.map(([pod, one]) => [pod, one?.since ?? (0 as EpochMs)]));
    };
    const what = `${count} pods answering ${flag} as wanted`;
    return waitFor(probe, { what, timeoutMs: PATIENCE_MS, everyMs: PAUSE_MS, signal: this.#end.signal });
  }

  #begin(pod: string): void {
    if (this.#asking.has(pod)) return;
    this.#asking.set(
      pod,
      this.#ask(pod).finally(() => this.#asking.delete(pod)),
    );
  }

  async #ask(name: string): Promise<void> {
    const { namespace, flags } = this.#options;
    const { signal } = this.#end;
    const ready = () => {
      const pod = this.#pods.cache.get({ namespace, name });
      return pod && isReady(pod) ? pod : undefined;
    };
    for (let pod = ready(); pod && !signal.aborted; pod = ready()) {
      for (const flag of flags) {
        const answer = await this.#question(pod.status?.podIP ?? '', flag);
        // What goes is no witness.
        if (signal.aborted || !ready()) return;
        this.#hear(name, flag, answer);
      }
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #question(address: string, flag: string): Promise<FlagAnswer> {
    try {
      const url = `http://${address}:8080/flags/${encodeURIComponent(flag)}?user=${this.#options.user}`;
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      return (await response.json()) as FlagAnswer;
    } catch {
      return { value: undefined, reason: 'ERROR', stale: false };
    }
  }

  #hear(pod: string, flag: string, answer: FlagAnswer): void {
    if (answer.reason === 'ERROR') this.unanswered++;
    else this.asked++;
    const told = this.#told.get(pod) ?? new Map<string, Told>();
    this.#told.set(pod, told);
    const before = told.get(flag);
    if (before && sameAnswer(before.answer, answer)) return;
    told.set(flag, { answer, since: systemClock.now() });
    if (before?.answer.value !== answer.value) this.#options.onChange?.(pod, flag, answer);
  }
}

const sameAnswer = (a: FlagAnswer, b: FlagAnswer): boolean => JSON.stringify(a) === JSON.stringify(b);

function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined || !status?.podIP) return false;
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}
