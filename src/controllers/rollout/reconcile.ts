import { createHash } from 'node:crypto';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EpochMs } from '../../base/units.ts';
import { decide } from '../../core/rollout/decide.ts';
import type { Decision, Told } from '../../core/rollout/decision.ts';
import type { Observed } from '../../core/rollout/observed.ts';
import type { KubeClient } from '../../kube/client.ts';
import { apply } from './apply.ts';
import { gather } from './gather.ts';
import type { GuardrailPoller } from './guardrail-poller.ts';
import { newMemory, type RolloutMemory } from './memory.ts';
import type { CustomObject, Sources } from './sources.ts';
import { watchOf } from './watching.ts';

export interface ReconcilePorts {
  readonly client: KubeClient;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly poller: GuardrailPoller;
  /** Tells events and metrics; called only after the write that makes them true. */
  announce(rollout: CustomObject, told: readonly Told[]): void;
  /** What was decided and how it went, for metrics. */
  decided(key: string, seen: Observed, decision: Decision): void;
  /** A Rollout exists no more. */
  gone(key: string): void;
}

/** Gather, decide, apply: one pass for one Rollout. */
export class RolloutReconciler {
  readonly #ports: ReconcilePorts;
  readonly #memories = new Map<string, RolloutMemory>();

  constructor(ports: ReconcilePorts) {
    this.#ports = ports;
  }

  reconcile = async (key: string, signal: AbortSignal): Promise<{ at?: EpochMs }> => {
    const { client, sources, clock, logger, poller, announce, decided } = this.#ports;
    const memory = this.#memories.get(key) ?? newMemory();
    this.#memories.set(key, memory);
    memory.guardrails = poller.statesOf(key);
    const now = clock.now();
    const gathered = gather(sources, memory, key, now);
    if (!gathered) {
      this.#memories.delete(key);
      poller.watch(key, undefined);
      this.#ports.gone(key);
      return {};
    }
    const { observed, rollout } = gathered;
    const decision = decide(observed, now);
    const { writes, policy, reason } = decision;
    const level = writes.length > 0 || observed.status.reason !== reason ? 'info' : 'debug';
    logger[level](
      { rollout: key, policy, reason, writes: writes.map(({ kind }) => kind), inputs: digest(observed) },
      decision.message,
    );
    const watch = (status: RolloutStatus) =>
      observed.spec && poller.watch(key, watchOf(sources, memory, rollout, observed.spec, status, now));
    const changed = await apply({ client, sources, clock, logger, memory, gathered, signal }, decision).catch(
      (error: unknown) => {
        watch(observed.status); // guardrails are live, also while what was decided cannot be written
        throw error;
      },
    );
    decided(key, observed, decision);
    if (changed) announce(rollout, decision.tell);
    watch(decision.status);
    poller.actedOn(key, observed.guardrails);
    return decision.recheckAt === undefined ? {} : { at: decision.recheckAt };
  };
}

/** Names the inputs of a decision in the log, so that two decisions can be told to rest on the same ones. */
const digest = (seen: Observed): string => createHash('sha256').update(JSON.stringify(seen)).digest('hex').slice(0, 12);
