import type { Exposure } from '../../wire/exposure.ts';
import type { MetricEvent } from '../../wire/metric-event.ts';

/** One event on its way to the collector, complete as the collector gets it. */
export type QueuedEvent =
  | { readonly kind: 'exposure'; readonly event: Exposure }
  | { readonly kind: 'metric'; readonly event: MetricEvent };

export type EventKind = QueuedEvent['kind'];
