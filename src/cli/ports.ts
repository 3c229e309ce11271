import type { RolloutSpec } from '../api/rollout.ts';
import type { Clock } from '../base/clock.ts';
import type { KubeClient } from '../kube/client.ts';

/** What kubectl's own flags say. */
export interface ConnectFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** An API server and whom we are for it. */
export interface Connection {
  readonly client: KubeClient;
  /** From the flag, else the context's, else `default`. */
  readonly namespace: string;
  /** Name of the user in the kubeconfig, for when the server does not tell who we are. */
  readonly user: string | undefined;
}

/** Which Rollout goes, and how. */
export interface OfflineRelease {
  readonly namespace: string;
  readonly name: string;
  /** Instead of spec.onDelete. */
  readonly onDelete?: RolloutSpec['onDelete'] | undefined;
  /** Do not ask whether an operator is alive. */
  readonly force: boolean;
  readonly timeoutMs: number;
}

/** Everything that a command may touch. */
export interface CliPorts {
  /** The answer: whole lines, without the last line break. */
  out(text: string): void;
  /** Everything else that a person should know. */
  err(text: string): void;
  readonly colour: boolean;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  connect(flags: ConnectFlags): Connection;
  /** A file's text, or standard input for `-`; refuses what is longer than `maxBytes`. */
  readText(path: string, maxBytes: number): Promise<string>;
  /** Deletes a Rollout and does the operator's part of it from here; resolves when it is gone. */
  releaseOffline(
    ports: { readonly client: KubeClient; readonly clock: Clock; tell(line: string): void },
    asked: OfflineRelease,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Exit statuses; docs/cli.md says what they mean. */
export const exits = {
  ok: 0,
  /** Rolled back; refused; problems found. */
  negative: 1,
  timedOut: 2,
  inFlight: 3,
  /** Another template took its place, or it was ended from outside. */
  superseded: 4,
  /** The command itself failed. */
  failed: 5,
  interrupted: 130,
  /** Nobody reads the answer any more. */
  unread: 141,
} as const;

export type Exit = (typeof exits)[keyof typeof exits];
