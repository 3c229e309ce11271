import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startCollector } from '../../support/fake-collector.ts';
import { startSidecar, until } from '../../support/sidecar.ts';

const order = { metrics: [{ id: 'order-1', event: 'order-completed', unit: 'user-1', value: 59.9 }] };

test('a sidecar keeps the events it accepted when it is killed, and the next one sends them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-events-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const collector = await startCollector();
  const args = ['--file', 'examples/flags', '--events-dir', directory];

  const first = await startSidecar(args);
  await until(() => first.ready());
  expect((await first.post('/metrics', order)).body).toMatchObject({ accepted: 1, errors: [] });
  await first.stop('SIGKILL');

  const second = await startSidecar([...args, '--collector', String(collector.url)]);
  await until(async () => collector.ids.has('order-1'));
  expect(await (await fetch(`${second.healthUrl}/metrics`)).text()).toContain('sluice_events_forwarded_total');
  expect(await second.stop()).toBe(0);
});

test('a sidecar without a directory for events takes none', async () => {
  const sidecar = await startSidecar(['--file', 'examples/flags']);
  await until(() => sidecar.ready());
  expect((await sidecar.post('/metrics', order)).status).toBe(404);
});
