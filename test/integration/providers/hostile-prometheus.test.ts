import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import { createPrometheusProvider, MAX_RESPONSE_BYTES } from '../../../src/providers/prometheus.ts';
import type { PrometheusOptions } from '../../../src/providers/prometheus-options.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type Behaviour, json, startHttp, startTcp, vectorOf } from '../../support/hostile-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const never = new AbortController().signal;
const request = {
  text: 'up{a="é & b"}',
  at: 1_000_500 as EpochMs,
  timeoutMs: 20_000 as DurationMs,
  owner: 'shop/catalog',
};
const bearer = { kind: 'Bearer', token: new Secret('hush-hush') } as const;

async function serve(behave: Behaviour) {
  const server = await startHttp(behave);
  cleanups.push(server.close);
  return server;
}

async function serveBytes(...args: Parameters<typeof startTcp>) {
  const server = await startTcp(...args);
  cleanups.push(server.close);
  return server;
}

function providerAt(
  address: string,
  options: Partial<PrometheusOptions> = {},
  clock: FakeClock | undefined = undefined,
) {
  const provider = createPrometheusProvider(
    { address, ...options },
    { clock: clock ?? systemClock, maxConnections: 2 },
  );
  cleanups.push(provider.close);
  return provider;
}

/** What the provider makes of a server that behaves so, with the deadline far away. */
async function answerTo(behave: Behaviour, options: Partial<PrometheusOptions> = {}) {
  const server = await serve(behave);
  return providerAt(server.url, options).query(request, never);
}

/** The answer when the server has done `behave` and time then passes the deadline. */
async function answerAtDeadline(behave: (response: ServerResponse) => void) {
  const clock = new FakeClock();
  const reached = Promise.withResolvers<void>();
  const server = await serve((response) => {
    behave(response);
    reached.resolve();
  });
  const answer = providerAt(server.url, {}, clock).query(request, never);
  await reached.promise;
  await clock.advance(request.timeoutMs - 1);
  await clock.advance(1);
  return answer;
}

describe('what is sent', () => {
  test('the query, its instant and its timeout go as a form to the path below the address, with the credentials', async () => {
    const server = await serve((response) => json(response, 200, vectorOf('0.25')));
    const provider = providerAt(`${server.url}/prefix/`, {
      auth: bearer,
      headers: { 'X-Scope-OrgID': new Secret('tenant\n') },
    });
    expect(await provider.query(request, never)).toEqual({
      kind: 'Value',
      value: 0.25,
      at: 1_000_000,
      remarks: { warnings: [], infos: [] },
    });
    const [seen] = server.requests;
    expect(seen).toMatchObject({ method: 'POST', path: '/prefix/api/v1/query' });
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer hush-hush', 'x-scope-orgid': 'tenant' });
    expect(seen?.headers['accept-encoding']).toBeUndefined();
    expect(Object.fromEntries(seen?.form ?? [])).toEqual({
      query: request.text,
      time: '1000.500',
      timeout: expect.stringMatching(/^\d+ms$/),
    });
    expect(Number.parseInt(seen?.form.get('timeout') ?? '', 10)).toBeLessThanOrEqual(request.timeoutMs);
  });

  test('basic credentials are encoded as UTF-8', async () => {
    const server = await serve((response) => json(response, 200, vectorOf('1')));
    await providerAt(server.url, {
      auth: { kind: 'Basic', username: new Secret('me'), password: new Secret('pä:ss\n') },
    }).query(request, never);
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:pä:ss').toString('base64')}`);
  });

  test('a query that grew too long with its values is not sent', async () => {
    const server = await serve((response) => json(response, 200, vectorOf('1')));
    const answer = await providerAt(server.url).query({ ...request, text: `a{b="${'x'.repeat(33_000)}"}` }, never);
    expect(answer).toMatchObject({ kind: 'BadQuery', message: expect.stringContaining('bytes') });
    expect(server.requests).toEqual([]);
  });
});

describe('a redirect', () => {
  test.each([301, 302, 307, 308])(
    '%i to another origin is not followed, and no credential gets there',
    async (status) => {
      const other = await serve((response) => json(response, 200, vectorOf('0')));
      const answer = await answerTo(
        (response) => {
          response.writeHead(status, { location: `${other.url}/api/v1/query?password=1` }).end();
        },
        { auth: bearer },
      );
      expect(answer).toMatchObject({
        kind: 'ProviderDown',
        cause: 'Redirect',
        message: expect.stringContaining(other.url),
      });
      expect(JSON.stringify(answer)).not.toContain('password');
      expect(other.requests).toEqual([]);
      expect(other.connections()).toBe(0);
    },
  );

  test('within the same origin is not followed either', async () => {
    const server = await serve((response) => response.writeHead(307, { location: '/elsewhere' }).end());
    expect(await providerAt(server.url).query(request, never)).toMatchObject({ cause: 'Redirect' });
    expect(server.requests.length).toBe(1);
  });
});

describe('a slow server is a timeout', () => {
  test('when no header comes', async () => {
    expect(await answerAtDeadline(() => {})).toMatchObject({ kind: 'ProviderDown', cause: 'Timeout' });
  });

  test('when the body comes to no end', async () => {
    const answer = await answerAtDeadline((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"status":"success",');
    });
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'Timeout' });
  });

  test('when the body drips, although each byte comes in time', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const answer = await providerAt(server.url).query({ ...request, timeoutMs: 300 as DurationMs }, never);
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'Timeout' });
  });

  test('when it accepts and says nothing', async () => {
    const server = await serveBytes(() => {});
    const answer = await providerAt(server.url).query({ ...request, timeoutMs: 200 as DurationMs }, never);
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'Timeout' });
  });

  test('and the connection of a query that timed out is given up', async () => {
    const closed = Promise.withResolvers<void>();
    await answerAtDeadline((response) => response.on('close', () => closed.resolve()));
    await closed.promise;
  });
});

describe('a caller that gives up', () => {
  test('gets its own reason, and the connection is closed', async () => {
    const [reached, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const server = await serve((response) => {
      response.on('close', () => closed.resolve());
      reached.resolve();
    });
    const caller = new AbortController();
    const answer = providerAt(server.url).query(request, caller.signal);
    await reached.promise;
    caller.abort(new Error('the rollout is gone'));
    await expect(answer).rejects.toThrow('the rollout is gone');
    await closed.promise;
  });
});

describe('a body', () => {
  test('without end is cut off at the size bound', async () => {
    let sentBytes = 0;
    const closed = Promise.withResolvers<void>();
    const answer = await answerTo((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sentBytes += chunk.length;
      };
      response.on('drain', more);
      response.on('close', () => closed.resolve());
      more();
    });
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'TooLarge' });
    await closed.promise;
    expect(sentBytes).toBeLessThan(64 * MAX_RESPONSE_BYTES);
  });

  test('just within the bound is read', async () => {
    const text = JSON.stringify(vectorOf('4'));
    const padded = text + ' '.repeat(MAX_RESPONSE_BYTES - text.length);
    expect(await answerTo((response) => json(response, 200, padded))).toMatchObject({ kind: 'Value', value: 4 });
    expect(await answerTo((response) => json(response, 200, `${padded} `))).toMatchObject({ cause: 'TooLarge' });
  });

  test('that ends before its declared length is a broken connection', async () => {
    const server = await serveBytes((socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"status":');
    });
    expect(await providerAt(server.url).query(request, never)).toMatchObject({ kind: 'ProviderDown', cause: 'Reset' });
  });

  test('that is cut inside its declared length is malformed', async () => {
    expect(await answerTo((response) => json(response, 200, '{"status":"success","data":{'))).toMatchObject({
      cause: 'Malformed',
    });
  });
});

describe('a connection', () => {
  test('to a port where nobody listens is refused', async () => {
    const server = await startTcp(() => {});
    await server.close();
    expect(await providerAt(server.url).query(request, never)).toMatchObject({
      kind: 'ProviderDown',
      cause: 'Refused',
    });
  });

  test('to a name that cannot exist is unresolved', async () => {
    // A label of more than 63 letters fails without a question to any name server.
    const answer = await providerAt(`http://${'x'.repeat(64)}.test`).query(request, never);
    expect(answer).toMatchObject({ kind: 'ProviderDown', cause: 'Unresolved' });
  });

  test('that is reset each time is reported after the second try', async () => {
    const server = await serveBytes((socket) => socket.on('data', () => socket.resetAndDestroy()));
    expect(await providerAt(server.url).query(request, never)).toMatchObject({ kind: 'ProviderDown', cause: 'Reset' });
    expect(server.connections()).toBe(2);
  });

  test('that the server closes in the moment of its second use is no outage', async () => {
    const server = await serveBytes((socket) => {
      const body = JSON.stringify(vectorOf('5'));
      let asked = 0;
      socket.on('data', () => {
        if (++asked > 1) socket.destroy();
        else
          socket.write(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
          );
      });
    });
    const provider = providerAt(server.url);
    expect(await provider.query(request, never)).toMatchObject({ kind: 'Value', value: 5 });
    expect(await provider.query(request, never)).toMatchObject({ kind: 'Value', value: 5 });
    expect(server.connections()).toBe(2);
  });

  test('that the server half-closes without an answer is broken', async () => {
    const server = await serveBytes((socket) => socket.on('data', () => socket.end()));
    expect(await providerAt(server.url).query(request, never)).toMatchObject({ kind: 'ProviderDown', cause: 'Reset' });
  });

  test('to something that is not HTTP is malformed', async () => {
    const server = await serveBytes((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expect(await providerAt(server.url).query(request, never)).toMatchObject({
      kind: 'ProviderDown',
      cause: 'Malformed',
    });
  });

  test('with endless headers is cut off', async () => {
    const server = await serveBytes((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(`x-filler: ${'x'.repeat(1000)}\r\n`));
      };
      socket.on('drain', more);
      more();
    });
    expect(await providerAt(server.url).query(request, never)).toMatchObject({
      kind: 'ProviderDown',
      cause: 'TooLarge',
    });
  });

  test('of a closed provider answers that it is closed', async () => {
    const reached = Promise.withResolvers<void>();
    const server = await serve(() => reached.resolve());
    const provider = providerAt(server.url);
    const underWay = provider.query(request, never);
    await reached.promise;
    await provider.close();
    expect(await underWay).toMatchObject({ kind: 'ProviderDown', cause: 'Closed' });
    expect(await provider.query(request, never)).toMatchObject({ kind: 'ProviderDown', cause: 'Closed' });
  });

  test('is used again by the next query', async () => {
    const server = await serve((response) => json(response, 200, vectorOf('1')));
    const provider = createPrometheusProvider({ address: server.url }, { clock: systemClock, maxConnections: 1 });
    cleanups.push(provider.close);
    for (let i = 0; i < 5; i++) await provider.query(request, never);
    expect(server.connections()).toBe(1);
  });
});

test('a credential that the server sends back is in no message', async () => {
  const answer = await answerTo(
    (response, { headers }) =>
      json(response, 400, {
        status: 'error',
        errorType: 'bad_data',
        error: `${'x'.repeat(290)}${headers.authorization}`,
      }),
    { auth: bearer },
  );
  expect(answer.kind).toBe('BadQuery');
  expect(JSON.stringify(answer)).not.toContain('hush');
});
