import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createEventMetrics } from '../../../../src/evaluator/events/event-metrics.ts';

test('what is counted can be scraped, losses from 0 on', async () => {
  const registry = new Registry();
  const counters = createEventMetrics(registry);
  counters.accepted('exposure', 3);
  counters.duplicate('metric', 2);
  counters.rejected('metric', 'SLUICE_EVENT_TIME');
  counters.dropped('Full', 40);
  counters.forwarded(7);
  counters.sendFailed();
  counters.queued(1_234, 5);
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines).toEqual([
    'sluice_events_accepted_total{kind="exposure"} 3',
    'sluice_events_duplicate_total{kind="metric"} 2',
    'sluice_events_rejected_total{kind="metric",code="SLUICE_EVENT_TIME"} 1',
    'sluice_events_dropped_total{reason="Full"} 40',
    'sluice_events_dropped_total{reason="Damaged"} 0',
    'sluice_events_dropped_total{reason="Refused"} 0',
    'sluice_events_dropped_total{reason="Unwritten"} 0',
    'sluice_events_forwarded_total 7',
    'sluice_events_send_failures_total 1',
    'sluice_events_queued_bytes 1234',
    'sluice_events_queued 5',
  ]);
});

test('docs/sidecar-events.md lists every metric and every code of events', () => {
  const page = readFileSync('docs/sidecar-events.md', 'utf8');
  const source = ['src/evaluator/events/event-metrics.ts', 'src/base/codes/event.ts'].map((path) =>
    readFileSync(path, 'utf8'),
  );
  const named = source.join('\n').match(/sluice_events_[a-z_]+|SLUICE_EVENTS?_[A-Z_]+/g) ?? [];
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
