import type { EpochMs } from '../base/units.ts';
import { Informer, type InformerOptions, type InformerPorts } from './informer.ts';
import type { KubeObject } from './resource.ts';

export type OnBreak = (plural: string, cause: 'expired' | 'failed' | 'silent') => void;

/** The watches of one controller: one lifetime, and one answer to whether all caches are filled. */
export class InformerSet {
  readonly #ports: InformerPorts;
  readonly #onBreak: OnBreak;
  readonly #all = new Map<string, Informer<KubeObject, string>>();

  constructor(ports: InformerPorts, onBreak: OnBreak) {
    this.#ports = ports;
    this.#onBreak = onBreak;
  }

  /** One watch of a resource, before `start`. */
  protected add<T extends KubeObject, Index extends string = never>(
    options: InformerOptions<T, Index>,
  ): Informer<T, Index> {
    const { plural } = options.resource;
    const informer = new Informer<T, Index>(this.#ports, {
      ...options,
      onBreak: (cause) => this.#onBreak(plural, cause),
    });
    this.#all.set(plural, informer as unknown as Informer<KubeObject, string>);
    return informer;
  }

  start(): void {
    for (const informer of this.#all.values()) informer.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all.values()].map((informer) => informer.stop()));
  }

  /** Resolves once every cache is filled; rejects when stopped before. */
  get synced(): Promise<unknown> {
    return Promise.all([...this.#all.values()].map(({ synced }) => synced));
  }

  /** Seconds since each watch last heard from the API server. */
  watchAges(nowMs: EpochMs): { readonly name: string; readonly seconds: number }[] {
    return [...this.#all].flatMap(([name, { lastSeen }]) =>
      lastSeen === undefined ? [] : [{ name, seconds: (nowMs - lastSeen) / 1000 }],
    );
  }
}
