import type { Cluster } from './kubectl.ts';
import type { Report } from './progress.ts';

/** What an add-on is installed with. */
export interface AddonContext {
  readonly cluster: Cluster;
  /** When this run of the cluster began, in ms since 1970: pods that started before do not run any more. */
  readonly startedAfterMs: number;
  readonly signal: AbortSignal;
  readonly report: Report;
}

export interface Addon {
  /** Builds what is missing and loads the images. One add-on after the other: builds use all cores anyway. */
  prepare(context: AddonContext): Promise<void>;
  /** Answers when it works. May run beside the others'. */
  install(context: AddonContext): Promise<void>;
}
