import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { type Logger, silent } from '../../src/base/logger.ts';
import type { DropReason, EventCounters } from '../../src/evaluator/events/event-counters.ts';
import { EventQueue, type QueueOptions } from '../../src/evaluator/events/event-queue.ts';
import type { QueuedEvent } from '../../src/evaluator/events/queued-event.ts';
import { exposureId } from '../../src/wire/exposure.ts';
import { FakeClock } from './fake-clock.ts';

/** Counters that a test can read. */
export class CountedEvents implements EventCounters {
  acceptedCount = 0;
  duplicates = 0;
  readonly rejectedCodes: string[] = [];
  readonly droppedBy: Partial<Record<DropReason, number>> = {};
  forwardedCount = 0;
  failures = 0;
  queuedNow = { bytes: 0, events: 0 };

  accepted(_kind: string, count: number): void {
    this.acceptedCount += count;
  }

  duplicate(_kind: string, count: number): void {
    this.duplicates += count;
  }

  rejected(_kind: string, code: string): void {
    this.rejectedCodes.push(code);
  }

  dropped(reason: DropReason, count: number): void {
    this.droppedBy[reason] = (this.droppedBy[reason] ?? 0) + count;
  }

  forwarded(count: number): void {
    this.forwardedCount += count;
  }

  sendFailed(): void {
    this.failures += 1;
  }

  queued(bytes: number, events: number): void {
    this.queuedNow = { bytes, events };
  }

  get droppedCount(): number {
    return Object.values(this.droppedBy).reduce((sum, count) => sum + count, 0);
  }
}

export function metricOf(id: string, unitHash = '0123456789abcdef'): QueuedEvent {
  const time = '2026-11-21T08:00:00.000Z';
  return { kind: 'metric', event: { id, flagSetId: 'shop', event: 'order-completed', unitHash, value: 1, time } };
}

export function exposureOf(unitHash: string): QueuedEvent {
  const assigned = { experiment: 'shop/one-page', phase: 1, arm: 'treatment', unitHash };
  const time = '2026-11-21T08:00:00.000Z';
  return { kind: 'exposure', event: { id: exposureId(assigned), flagSetId: 'shop', ...assigned, revision: 7, time } };
}

/** A directory that is gone after the test. */
export function scratchDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-events-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface OpenedQueue {
  readonly queue: EventQueue;
  readonly counters: CountedEvents;
}

export async function openQueue(
  options: Partial<QueueOptions> & Pick<QueueOptions, 'directory'>,
  ports: { clock?: Clock; logger?: Logger; counters?: CountedEvents } = {},
): Promise<OpenedQueue> {
  const { clock = new FakeClock(), logger = silent, counters = new CountedEvents() } = ports;
  const bounds = { segmentBytes: 4_096, maxSegments: 1_000, maxPendingBytes: 1_048_576 };
  const queue = await EventQueue.open({ ...bounds, ...options }, { clock, logger, counters });
  onTestFinished(() => queue.close());
  return { queue, counters };
}

/** Takes and acknowledges everything; the ids in their order. */
export async function drain(queue: EventQueue): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const batch = await queue.take(1_000, 1_048_576);
    if (batch === undefined) return ids;
    ids.push(...batch.events.map(({ event }) => event.id));
    await queue.acknowledge(batch);
  }
}
