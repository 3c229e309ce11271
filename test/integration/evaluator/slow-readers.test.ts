import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { silent } from '../../../src/base/logger.ts';
import { EvaluationCounts } from '../../../src/evaluator/evaluation-counts.ts';
import { EventStreams } from '../../../src/evaluator/event-stream.ts';
import { Load } from '../../../src/evaluator/load.ts';
import { evaluatorServer } from '../../../src/evaluator/server.ts';
import { RulesetHolder } from '../../../src/rulesets/holder.ts';
import { snapshotOf } from '../../../src/rulesets/source.ts';
import { sealRuleset } from '../../../src/wire/sealed-ruleset.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { flagWith, rulesetWith } from '../../support/ruleset.ts';
import { until } from '../../support/sidecar.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
/** More than the sockets of both ends hold: they grow to some 10 MB. */
const TEXTS = 500;

/** Room for one request, and answers of 30 MB. */
async function listening() {
  const clock = new FakeClock();
  const holder = new RulesetHolder({ clock, logger: silent });
  const text = 'x'.repeat(60_000);
  const large = flagWith({ type: 'string', variants: { off: text } });
  const flags = Object.fromEntries(Array.from({ length: TEXTS }, (_, n) => [`f${n}`, large]));
  holder.take({ kind: 'Ruleset', snapshot: snapshotOf(sealRuleset(rulesetWith(flags))), live: true });
  const streams = new EventStreams(clock, 1);
  const load = new Load({ requests: 1, bodyBytes: 1_000, largestBodyBytes: 1_000 });
  const parts = { holder, clock, logger: silent, counts: new EvaluationCounts(), streams, events: undefined };
  const app = evaluatorServer(parts, load);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
    holder.stop();
  });
  const status = async () => {
    const response = await fetch(`http://127.0.0.1:${port}${FLAGS}/f0`, {
      method: 'POST',
      headers: { 'content-length': '0' },
    });
    await response.arrayBuffer();
    return response.status;
  };
  return { clock, port, status, streams };
}

async function ask(port: number, head: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').pause();
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}); // it is cut off
  await once(socket, 'connect');
  socket.write(`${head} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`);
  return socket;
}

test('who does not read its answer is cut off after 30 s, and its place is free again', async () => {
  const { clock, port, status } = await listening();
  expect(await status()).toBe(200);
  const socket = await ask(port, `POST ${FLAGS}`);
  await until(async () => (await status()) === 429);
  await clock.advance(29_000);
  expect(await status()).toBe(429);
  await clock.advance(1_000);
  await until(async () => (await status()) === 200);
  // The end comes behind what was on its way.
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  expect(socket.bytesRead).toBeLessThan(TEXTS * 60_000);
});

test('a stream stays, however long', async () => {
  const { clock, port, streams } = await listening();
  const socket = await ask(port, 'GET /ofrep/v1/events');
  await until(() => streams.size === 1);
  await clock.advance(31_000);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  await until(() => text.includes(': ping'));
  await clock.advance(31_000);
  expect(streams.size).toBe(1);
});
