import type { Code } from '../../base/errors.ts';
import type { EventKind } from './queued-event.ts';

/**
 * Why events are lost. Full: the oldest gave way. Damaged: what the disk gave back was not what was written. Refused: the
 * collector will never take them. Unwritten: exposures of evaluations for which there was no room.
 */
export const DROP_REASONS = ['Full', 'Damaged', 'Refused', 'Unwritten'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What is counted on the way of events, as a port. */
export interface EventCounters {
  /** Written to disk. */
  accepted(kind: EventKind, count: number): void;
  /** Known by their id, and so not written again. */
  duplicate(kind: EventKind, count: number): void;
  /** Items of a batch that are no events. */
  rejected(kind: EventKind, code: Code): void;
  dropped(reason: DropReason, count: number): void;
  /** Acknowledged by the collector. */
  forwarded(count: number): void;
  /** A batch did not get through; it is sent again. */
  sendFailed(): void;
  /** What waits on disk now. */
  queued(bytes: number, events: number): void;
}
