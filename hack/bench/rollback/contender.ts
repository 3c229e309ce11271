import type { KubeObject } from '../../../src/kube/resource.ts';
import type { WeightWatch } from './weight-watch.ts';

/** A controller under measurement, with its rollouts, whose names are all `namespace/name`. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  /** What a reader must know to judge the figures: flags, interval, budget, router. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Who it is for the API server, as its audit log says. */
  readonly user: string;
  /** Processes of the controller, for memory and CPU. */
  readonly pids: readonly number[];
  readonly keys: readonly string[];
  /** What the router's objects give each canary. */
  readonly weights: WeightWatch<KubeObject>;
  /**
   * Brings these into flight with a new revision: answers when each has a weight above 0, at which it stays while its metric
   * is good. Whatever an earlier breach left is cleaned up first.
   */
  launch(keys: readonly string[], signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}
