import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { startSidecar, until } from '../../support/sidecar.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SECRET = 'somebody@shop.example';

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly OtlpAttribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly OtlpAttribute[] }[];
  readonly status: { readonly code: number };
}

const plain = (attributes: readonly OtlpAttribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));

/** A collector's OTLP over HTTP in JSON, as much of it as a test looks at. */
class Receiver {
  readonly spans: OtlpSpan[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  text = '';
  resource: Record<string, unknown> = {};
  url = '';

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      if (request.url === '/v1/traces') this.#take(text, request.headers);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  #take(text: string, headers: IncomingHttpHeaders): void {
    this.text += text;
    this.headers.push(headers);
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      this.resource = plain(resource.attributes);
      for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
  }
}

let receiver: Receiver;

beforeEach(async () => {
  receiver = new Receiver();
  await receiver.start();
});

const start = (...env: string[]) =>
  startSidecar(['--file', 'examples/flags'], ['env', `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.url}`, ...env]);

const context = { targetingKey: SECRET, email: SECRET };

test('a request is a span of its caller’s trace, with what the flag answered, and nothing of the context', async () => {
  const sidecar = await start('OTEL_SERVICE_NAME=flags', 'OTEL_EXPORTER_OTLP_HEADERS=x-tenant=shop');
  await until(() => sidecar.ready());
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  const answer = await sidecar.post(`${FLAGS}/wallets?secret=${SECRET}`, { context }, { traceparent });
  await sidecar.stop();
  const [span, ...others] = receiver.spans;
  expect(others).toEqual([]);
  expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, name: `POST ${FLAGS}/*`, kind: 2 });
  expect(plain(span?.attributes ?? [])).toEqual({
    'http.request.method': 'POST',
    'http.route': `${FLAGS}/*`,
    'http.response.status_code': 200,
    'url.path': `${FLAGS}/wallets`,
    'url.scheme': 'http',
  });
  expect(span?.events.map(({ name, attributes }) => [name, plain(attributes)])).toEqual([
    [
      'feature_flag.evaluation',
      {
        'feature_flag.key': 'wallets',
        'feature_flag.provider.name': 'sluice',
        'feature_flag.result.reason': answer.body.reason.toLowerCase(),
        'feature_flag.result.variant': answer.body.variant,
        'feature_flag.set.id': 'default',
        'feature_flag.version': '1',
      },
    ],
  ]);
  expect(receiver.resource).toMatchObject({ 'service.name': 'flags' });
  expect(receiver.headers[0]).toMatchObject({ 'x-tenant': 'shop' });
  expect(receiver.text).not.toContain(SECRET);
});

test('bulk says which ruleset answered; an unknown flag is an error by the convention; no trace begins one', async () => {
  const sidecar = await start();
  await until(() => sidecar.ready());
  await sidecar.post(FLAGS, { context });
  await sidecar.post(`${FLAGS}/nobody`, { context });
  await sidecar.stop();
  const [bulk, unknown] = receiver.spans;
  expect(plain(bulk?.attributes ?? [])).toMatchObject({
    'feature_flag.set.id': 'default',
    'feature_flag.version': '1',
  });
  expect(bulk?.events).toEqual([]);
  expect(unknown?.parentSpanId).toBeUndefined();
  expect(plain(unknown?.events[0]?.attributes ?? [])).toMatchObject({
    'feature_flag.result.reason': 'error',
    'error.type': 'flag_not_found',
  });
  expect(receiver.resource).toMatchObject({ 'service.name': 'sluice-evaluator' });
});

test('what the caller’s trace does not sample is not sent', async () => {
  const sidecar = await start();
  await until(() => sidecar.ready());
  await sidecar.post(`${FLAGS}/wallets`, { context }, { traceparent: `00-${TRACE}-${PARENT}-00` });
  await sidecar.stop();
  expect(receiver.spans).toEqual([]);
});

test('a receiver that is away costs no answer, is logged, and does not hold the stop up', async () => {
  const wrap = ['env', 'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9', 'OTEL_EXPORTER_OTLP_TIMEOUT=1000'];
  const sidecar = await startSidecar(['--file', 'examples/flags'], wrap);
  await until(() => sidecar.ready());
  expect((await sidecar.post(`${FLAGS}/wallets`, { context })).status).toBe(200);
  expect(await sidecar.stop()).toBe(0);
  expect(sidecar.log()).toContain('tracing: what was left is lost');
});

test('a sampler that there is not ends the program at its start', async () => {
  await expect(start('OTEL_TRACES_SAMPLER=sometimes')).rejects.toThrow(/SLUICE_SIDECAR_ARGUMENT: OTEL_TRACES_SAMPLER/);
});

test('nothing is sent where the environment does not ask for it', async () => {
  const sidecar = await start('OTEL_SDK_DISABLED=true');
  await until(() => sidecar.ready());
  await sidecar.post(`${FLAGS}/wallets`, { context });
  await sidecar.stop();
  expect(receiver.spans).toEqual([]);
});
