import { isDeepStrictEqual } from 'node:util';
import { encodeRolloutStatus } from '../../api/parse.ts';
import type { RolloutStatus } from '../../api/rollout-status.ts';
import type { EpochMs } from '../../base/units.ts';
import { type CustomObject, rolloutsResource } from './sources.ts';
import type { WriteContext } from './write-context.ts';

/** A leader change loses at most this much of a hold. */
const PERSIST_EVERY_MS = 10_000;

/**
 * Writes what was decided, where it differs. Progress alone (the time of a hold, the value of a sample) is kept in memory and
 * written every 10 s. Answers whether status was written. The version that was judged is the precondition.
 */
export async function writeStatus(context: WriteContext, next: RolloutStatus, deadlineMs: number): Promise<boolean> {
  const { client, clock, memory, gathered, signal } = context;
  const { rollout, observed } = gathered;
  const before = observed.status;
  if (isDeepStrictEqual(before, next)) return false;
  const now = clock.now();
  if (isDeepStrictEqual(lasting(before), lasting(next)) && now - memory.persistedAt < PERSIST_EVERY_MS) {
    memory.progress = { resourceVersion: rollout.metadata.resourceVersion ?? '', hold: next.inFlight?.hold };
    return false;
  }
  const object: CustomObject = { ...rollout, status: encodeRolloutStatus(next) };
  const written = await client.replace(rolloutsResource, object, {
    signal,
    deadlineMs,
    subresource: 'status',
  });
  memory.written = { base: rollout.metadata.resourceVersion ?? '', object: written };
  memory.persistedAt = now as EpochMs;
  return true;
}

/** Status without what moves at every sample. */
function lasting(status: RolloutStatus): object {
  const { inFlight, guardrails, message: _message, nextAt: _nextAt, conditions, ...rest } = status;
  return {
    ...rest,
    inFlight: inFlight && { ...inFlight, hold: inFlight.hold && { effectiveAt: inFlight.hold.effectiveAt } },
    guardrails: guardrails.map(({ at: _at, value: _value, stableValue: _stable, message: _text, ...state }) => state),
    conditions: conditions.map(({ message: _text, ...condition }) => condition),
  };
}
