import { z } from 'zod';
import type { EpochMs } from '../base/units.ts';
import { keyedList } from './constraint.ts';
import { prose, time } from './fields.ts';

const conditionSchema = z
  .object({
    type: z.string().max(316).describe('What the condition is about.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    observedGeneration: z.int().optional().describe('metadata.generation of the spec that this was judged by.'),
    lastTransitionTime: time('When status last changed.'),
    reason: z.string().max(1024).describe('One word for programs.'),
    message: prose(32_768, 'One sentence for people.'),
  })
  .describe('One aspect of the state, as in every Kubernetes resource.');

/** The list of conditions of a status. */
export const conditionList = (description: string) =>
  keyedList(z.array(conditionSchema).max(16), 'type', description).prefault([]);

export type Condition = z.output<typeof conditionSchema>;
/** What a decision says about a condition; the transition time follows from what stood there before. */
export type ConditionClaim = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Conditions with `claims` put in, sorted by type. The transition time changes only when `status` does. */
export function withConditions(
  before: readonly Condition[],
  claims: readonly ConditionClaim[],
  observedGeneration: number,
  now: EpochMs,
): Condition[] {
  const byType = new Map(before.map((condition) => [condition.type, condition]));
  for (const claim of claims) {
    const old = byType.get(claim.type);
    const lastTransitionTime = old?.status === claim.status ? old.lastTransitionTime : now;
    byType.set(claim.type, { ...claim, observedGeneration, lastTransitionTime });
  }
  return [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
}
