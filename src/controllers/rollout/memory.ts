import { randomBytes } from 'node:crypto';
import type { RolloutSpec } from '../../api/rollout.ts';
import type { InFlight, RolloutStatus } from '../../api/rollout-status.ts';
import type { EpochMs } from '../../base/units.ts';
import type { JudgedGuardrail } from '../../core/guardrails/judge.ts';
import type { Attachment } from '../../core/rollout/sticky-seen.ts';
import { noReverts, type RevertWatch } from '../../traffic/gateway-api/foreign-manager.ts';
import type { TakenIn } from '../../traffic/gateway-api/taken-in.ts';
import type { Question } from './guardrail-rules.ts';
import { noPin, type PinWatch } from './pin-watch.ts';
import type { CustomObject } from './sources.ts';

/** What one Rollout's controller keeps between passes. Losing it costs nothing but a few reads and at most 10 s of hold. */
export interface RolloutMemory {
  /** The object that our last status write answered, until the cache has it. */
  written?: { readonly base: string; readonly object: CustomObject };
  /** Progress of the present hold that status does not have yet, for exactly that version of the Rollout. */
  progress?: { readonly resourceVersion: string; readonly hold: InFlight['hold'] };
  /** The last spec that was valid. */
  accepted?: RolloutSpec;
  /** Its guardrails as they were when they last could be asked, by name. A new leader has none. */
  readonly lastUsable: Map<string, Question>;
  /** When status was last written, and for what, so that a hold's progress is not written at every sample. */
  persistedAt: EpochMs;
  readonly reverts: Map<string, RevertWatch>;
  /** Of each route, by name: since when the gateways have our last change. */
  readonly takenIn: Map<string, TakenIn | undefined>;
  pin: PinWatch;
  /** A header value that nobody can guess: an armed rule matches only this. */
  readonly neverValue: string;
  /** When our policies were last written. */
  policiesWrittenAt?: EpochMs;
  /** Why the API server does not take our policies, and until when that is believed. */
  policiesRefused?: { readonly attachment: Attachment; readonly until: EpochMs };
  /** States of the guardrails as polled; undefined while nobody polls, which is where a new leader begins. */
  guardrails: readonly JudgedGuardrail[] | undefined;
}

export const newMemory = (): RolloutMemory => ({
  persistedAt: 0 as EpochMs,
  lastUsable: new Map(),
  reverts: new Map(),
  takenIn: new Map(),
  pin: noPin,
  neverValue: randomBytes(24).toString('base64url'),
  guardrails: undefined,
});

export const revertsOf = (memory: RolloutMemory, route: string): RevertWatch => memory.reverts.get(route) ?? noReverts;

/**
 * The Rollout as it is now for us: our own last write where the cache has not caught up. The write named the version that
 * it was based on, so nothing can stand between the two.
 */
export function freshest(memory: RolloutMemory, cached: CustomObject): CustomObject {
  const { written } = memory;
  if (!written) return cached;
  if (cached.metadata.uid === written.object.metadata.uid && cached.metadata.resourceVersion === written.base)
    return written.object;
  delete memory.written;
  return cached;
}

/** Status with the progress that is only in memory. */
export function withProgress({ progress }: RolloutMemory, rollout: CustomObject, status: RolloutStatus): RolloutStatus {
  if (!progress?.hold || !status.inFlight?.hold || progress.resourceVersion !== rollout.metadata.resourceVersion)
    return status;
  return { ...status, inFlight: { ...status.inFlight, hold: progress.hold } };
}
