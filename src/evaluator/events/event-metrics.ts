import { Counter, Gauge, type Registry } from 'prom-client';
import { DROP_REASONS, type EventCounters } from './event-counters.ts';

/** The counters as Prometheus metrics in `registry`. No label holds what an application chose. */
export function createEventMetrics(registry: Registry): EventCounters {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const accepted = counter('sluice_events_accepted_total', 'Events that were written to disk.', ['kind']);
  const duplicates = counter('sluice_events_duplicate_total', 'Events that were known by their id.', ['kind']);
  const rejected = counter('sluice_events_rejected_total', 'Items of batches that are no events.', ['kind', 'code']);
  const dropped = counter('sluice_events_dropped_total', 'Events that were lost.', ['reason']);
  const forwarded = counter('sluice_events_forwarded_total', 'Events that the collector acknowledged.');
  const failures = counter('sluice_events_send_failures_total', 'Batches that did not reach the collector at once.');
  const queuedBytes = gauge('sluice_events_queued_bytes', 'Length of the files of events.');
  const queuedEvents = gauge('sluice_events_queued', 'Events that wait for the collector.');
  // A loss must be seen as a step from 0, and not as a series that begins.
  for (const reason of DROP_REASONS) dropped.inc({ reason }, 0);
  return {
    accepted: (kind, count) => accepted.inc({ kind }, count),
    duplicate: (kind, count) => duplicates.inc({ kind }, count),
    rejected: (kind, code) => rejected.inc({ kind, code }),
    dropped: (reason, count) => dropped.inc({ reason }, count),
    forwarded: (count) => forwarded.inc(count),
    sendFailed: () => failures.inc(),
    queued(bytes, events) {
      queuedBytes.set(bytes);
      queuedEvents.set(events);
    },
  };
}
