import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silent } from '../../../../src/base/logger.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { startEvents } from '../../../../src/evaluator/events/start-events.ts';
import { encodeExposureToken } from '../../../../src/wire/exposure.ts';
import { CountedEvents, scratchDirectory } from '../../../support/event-fixtures.ts';
import { startCollector } from '../../../support/fake-collector.ts';

const ruleset = { flagSetId: 'shop', revision: 7, unitHashSalt: 'salt' };
const token = { experiment: 'shop/one-page', phase: 2, arm: 'treatment', unitHash: '0123456789abcdef', revision: 6 };

async function startWith(directory: string, collector: URL | undefined) {
  const counters = new CountedEvents();
  const ports = { clock: systemClock, random: seededRandom(1), logger: silent, counters, ruleset: () => ruleset };
  const events = await startEvents({ directory, collector }, ports);
  const app = fastify();
  events.registerEvents(app, ['exposure', 'metric']);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  onTestFinished(() => events.stop());
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  return { events, counters, post, port: Number(new URL(address).port) };
}

test('events go from the application to the collector', async () => {
  const collector = await startCollector();
  const { events, counters, post } = await startWith(scratchDirectory(), collector.url);
  expect(await post('/metrics', { metrics: [{ id: 'order-1', event: 'order-completed', unit: 'user-1' }] })).toBe(202);
  expect(await post('/exposures', { exposures: [{ token: encodeExposureToken(token) }] })).toBe(202);
  const assignment = { experiment: 'shop/one-page', phase: 2, arm: 'control', unit: 'user-1' };
  events.exposed('one-page', assignment, { compiled: ruleset });
  await expect.poll(() => collector.ids.size, { timeout: 20_000 }).toBe(3);
  await expect.poll(() => counters.queuedNow.events).toBe(0);
});

test('events of a run without collector are sent by the next run that has one, at its end at the latest', async () => {
  const directory = scratchDirectory();
  const first = await startWith(directory, undefined);
  expect(await first.post('/metrics', { metrics: [{ id: 'order-1', event: 'e', unit: 'user-1' }] })).toBe(202);
  await first.events.stop();
  expect(await first.post('/metrics', { metrics: [{ id: 'order-2', event: 'e', unit: 'user-1' }] })).toBe(503);
  const collector = await startCollector();
  const second = await startWith(directory, collector.url);
  await second.events.stop();
  expect([...collector.ids]).toEqual(['order-1']);
});

test('clients that leave in the middle of a batch take no room from others', async () => {
  const { post, port } = await startWith(scratchDirectory(), undefined);
  for (let n = 0; n < 40; n++) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
    socket.end();
    await once(socket.resume(), 'close');
  }
  expect(await post('/metrics', { metrics: [{ event: 'e', unit: 'user-1' }] })).toBe(202);
});

test('an evaluator starts, and says 503 to events, when their directory cannot be used', async () => {
  const directory = join(scratchDirectory(), 'file');
  writeFileSync(directory, '');
  const { post } = await startWith(directory, undefined);
  expect(await post('/metrics', { metrics: [{ event: 'e', unit: 'user-1' }] })).toBe(503);
});
