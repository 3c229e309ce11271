import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { flagOf } from '../../../../examples/shop/flags.ts';

/** An evaluator that answers this; the address is where it does. */
async function evaluator(status: number, body: string): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    asked.push(`${request.url} ${Buffer.concat(chunks)}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test('it says what the user gets, by which ruleset', async () => {
  const answer = { value: true, variant: 'on', reason: 'SPLIT', metadata: { version: '7', stale: true } };
  const { address, asked } = await evaluator(200, JSON.stringify(answer));
  expect(await flagOf(address, 'a/b', 'ann')).toEqual({
    value: true,
    variant: 'on',
    reason: 'SPLIT',
    revision: '7',
    stale: true,
  });
  expect(asked).toEqual(['/ofrep/v1/evaluate/flags/a%2Fb {"context":{"targetingKey":"ann"}}']);
});

test.each([
  [500, '{"errorCode":"GENERAL"}'],
  [200, 'no JSON'],
])('an answer of %i %s means the default', async (status, body) => {
  const { address } = await evaluator(status, body);
  expect(await flagOf(address, 'a', 'ann')).toEqual({ value: null, reason: 'ERROR', stale: false });
});

test('nobody there means the default', async () => {
  expect(await flagOf('http://127.0.0.1:9', 'a', 'ann')).toMatchObject({ value: null, reason: 'ERROR' });
});
