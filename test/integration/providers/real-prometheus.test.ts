import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { DurationMs, EpochMs } from '../../../src/base/units.ts';
import { createPrometheusProvider, type PrometheusProvider } from '../../../src/providers/prometheus.ts';
import type { PrometheusOptions } from '../../../src/providers/prometheus-options.ts';
import { parseTemplate, renderTemplate } from '../../../src/providers/template.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { type HostileServer, startHttp } from '../../support/hostile-server.ts';
import { PROMETHEUS_START_TIMEOUT_MS, type RealPrometheus, startPrometheus } from '../../support/prometheus.ts';

const never = new AbortController().signal;

/** Label values that mean something in a string or a regular expression; each as an expression matches only itself. */
const oddNames = [
  'a.b',
  'a|b',
  'a"b',
  "a'b",
  'a`b',
  'a\\b',
  'a\\\\b',
  'a{2}',
  '[ab]',
  '(a)',
  'a*',
  'a+',
  'a?',
  '^a$',
  'a\nb',
  'é😀',
  '\\E',
  '{{x}}',
  '$1',
];

const metrics = () => {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  return [
    'requests{pod="p0"} 40',
    'requests{pod="p1"} 60',
    'errors{pod="p0"} 5',
    'idle 0',
    ...[...oddNames, 'plain'].map((name) => `odd{name=${quoted(name)}} 1`),
    '',
  ].join('\n');
};

function render(text: string, rollout: string): string {
  const template = parseTemplate(text);
  if (template.kind === 'Problems') throw new Error(template.problems[0]?.message);
  const others = {
    namespace: 'shop',
    service: 'catalog',
    canaryHash: 'c',
    stableHash: 's',
    window: 60_000 as DurationMs,
  };
  return renderTemplate(template, { ...others, rollout });
}

const ask = (provider: PrometheusProvider, text: string, timeoutMs = 20_000) =>
  provider.query({ text, at: systemClock.now(), timeoutMs: timeoutMs as DurationMs, owner: 'shop/catalog' }, never);

async function untilValue(provider: PrometheusProvider, text: string) {
  const hasValue = async () => (await ask(provider, text, 1000)).kind === 'Value';
  await waitFor(hasValue, { what: `a value of ${text}`, timeoutMs: 60_000, everyMs: 50 });
}

const providerAt = (address: string, options: Partial<PrometheusOptions> = {}) =>
  createPrometheusProvider({ address, ...options }, { clock: systemClock, maxConnections: 4 });

describe('a real Prometheus', () => {
  let target: HostileServer;
  let prometheus: RealPrometheus;
  let provider: PrometheusProvider;
  let address: string;

  beforeAll(async () => {
    target = await startHttp((response) =>
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metrics()),
    );
    prometheus = await startPrometheus(
      {
        global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
        scrape_configs: [{ job_name: 'app', static_configs: [{ targets: [`127.0.0.1:${target.port}`] }] }],
      },
      AbortSignal.timeout(PROMETHEUS_START_TIMEOUT_MS),
    );
    address = `http://127.0.0.1:${prometheus.port}`;
    provider = providerAt(address);
    await untilValue(provider, 'idle');
  }, PROMETHEUS_START_TIMEOUT_MS);

  afterAll(async () => {
    await provider?.close();
    await prometheus?.stop();
    await target?.close();
  });

  test('gives a value from a vector and from a scalar', async () => {
    const before = systemClock.now();
    const answer = await ask(provider, 'sum(errors) / sum(requests)');
    expect(answer).toMatchObject({ kind: 'Value', value: 0.05 });
    expect(answer.kind === 'Value' && Math.abs(answer.at - before) < 1000).toBe(true);
    expect(await ask(provider, 'scalar(sum(requests))')).toMatchObject({ kind: 'Value', value: 100 });
    expect(await ask(provider, '1e-9 * vector(1)')).toMatchObject({ kind: 'Value', value: 1e-9 });
  });

  test('evaluates for the instant that is asked for', async () => {
    const at = (systemClock.now() - 3_600_000) as EpochMs;
    const answer = await provider.query({ text: 'time()', at, timeoutMs: 5000 as DurationMs, owner: 'a/b' }, never);
    expect(answer).toMatchObject({ kind: 'Value', value: at / 1000, at });
  });

  test('gives nothing for a series that does not exist', async () => {
    expect(await ask(provider, 'sum(nothing_like_this)')).toMatchObject({ kind: 'Empty' });
  });

  test('gives no number for a division by zero', async () => {
    expect(await ask(provider, 'idle / idle')).toMatchObject({ kind: 'NotANumber', text: 'NaN' });
    expect(await ask(provider, 'sum(errors) / sum(idle)')).toMatchObject({ kind: 'NotANumber', text: '+Inf' });
    expect(await ask(provider, '-1 / 0')).toMatchObject({ kind: 'NotANumber', text: '-Inf' });
  });

  test('gives several series where one is wanted, and names two of them', async () => {
    const answer = await ask(provider, 'requests');
    expect(answer).toMatchObject({ kind: 'SeveralSeries', count: 2, message: expect.stringContaining('pod="p1"') });
  });

  test('refuses what does not parse as a mistake in the query', async () => {
    expect(await ask(provider, 'sum(requests')).toMatchObject({
      kind: 'BadQuery',
      message: expect.stringContaining('parse error'),
    });
    expect(await ask(provider, 'requests[1m]')).toMatchObject({
      kind: 'BadQuery',
      message: expect.stringContaining('range'),
    });
    expect(await ask(provider, '"text"')).toMatchObject({
      kind: 'BadQuery',
      message: expect.stringContaining('string'),
    });
  });

  test('that understood but cannot execute is down for this query', async () => {
    const answer = await ask(provider, 'requests * on() requests');
    expect(answer).toMatchObject({
      kind: 'ProviderDown',
      cause: 'Http422',
      message: expect.stringContaining('execution'),
    });
  });

  test('at a wrong path is not found', async () => {
    const wrong = providerAt(`${address}/prometheus`);
    expect(await ask(wrong, 'idle')).toMatchObject({ kind: 'ProviderDown', cause: 'NotFound' });
    await wrong.close();
  });

  test('reads each odd name in a matcher as that name alone', async () => {
    for (const name of oddNames) {
      expect([name, await ask(provider, render('sum(odd{name="{{rollout}}"})', name))]).toMatchObject([
        name,
        { value: 1 },
      ]);
      expect([name, await ask(provider, render('sum(odd{name=~"{{rollout}}"})', name))]).toMatchObject([
        name,
        { value: 1 },
      ]);
      const others = await ask(provider, render('count(odd{name!~`{{rollout}}|plain`})', name));
      expect([name, others]).toMatchObject([name, { value: oddNames.length - 1 }]);
    }
  });

  test('reads back exactly the value that was put into a string, whatever it is', async () => {
    // absent() answers with the labels of its equality matchers: the server's own reading of our escapes.
    const readBack = async (query: string) => {
      const response = await fetch(`${address}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
      const { data } = (await response.json()) as { data?: { result: { metric: { v?: string } }[] } };
      return data?.result[0]?.metric.v ?? `HTTP ${response.status}`;
    };
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', "'", '`', '\\', '{', '\n', '\uFFFD', '\0') }),
    );
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom('"', "'", '`'), async (rollout, quote) => {
        const query = render(`absent(nothing{v=${quote}<{{rollout}}>${quote}})`, rollout);
        expect(await readBack(query)).toBe(`<${rollout.toWellFormed()}>`);
      }),
      { numRuns: 300 },
    );
  });

  test('that hangs is a timeout, that goes on is asked again, that is killed refuses', async () => {
    await prometheus.freeze();
    expect(await ask(provider, 'idle', 300)).toMatchObject({ kind: 'ProviderDown', cause: 'Timeout' });
    prometheus.thaw();
    expect(await ask(provider, 'idle')).toMatchObject({ kind: 'Value', value: 0 });
    await prometheus.kill();
    expect(await ask(provider, 'idle')).toMatchObject({ kind: 'ProviderDown', cause: 'Refused' });
  });
});

describe('a real Prometheus with TLS, client certificates and passwords', () => {
  const authority = makeCertificate({ name: 'test authority' });
  const server = makeCertificate({ name: 'server', hosts: ['prometheus.test'], issuer: authority });
  const client = makeCertificate({ name: 'client', hosts: ['sluice.test'], issuer: authority });
  const tls = { ca: authority.cert, serverName: 'prometheus.test', cert: client.cert, key: new Secret(client.key) };
  const auth = { kind: 'Basic', username: new Secret('sluice'), password: new Secret('sesame') } as const;
  const webConfig = {
    tls_server_config: {
      cert_file: 'server.pem',
      key_file: 'server.key',
      client_ca_file: 'ca.pem',
      client_auth_type: 'RequireAndVerifyClientCert',
    },
    basic_auth_users: { sluice: '$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW' }, // bcrypt of "sesame"
  };
  let prometheus: RealPrometheus;
  const open: PrometheusProvider[] = [];

  function providerWith(options: Partial<PrometheusOptions>) {
    const provider = providerAt(`https://127.0.0.1:${prometheus.port}`, options);
    open.push(provider);
    return provider;
  }

  beforeAll(async () => {
    prometheus = await startPrometheus({}, AbortSignal.timeout(PROMETHEUS_START_TIMEOUT_MS), {
      'web.yml': JSON.stringify(webConfig),
      'server.pem': server.cert,
      'server.key': server.key,
      'ca.pem': authority.cert,
    });
    await untilValue(providerWith({ tls, auth }), 'vector(1)');
  }, PROMETHEUS_START_TIMEOUT_MS);

  afterAll(async () => {
    for (const provider of open) await provider.close();
    await prometheus?.stop();
  });

  test('answers who has both', async () => {
    expect(await ask(providerWith({ tls, auth }), 'vector(7)')).toMatchObject({ kind: 'Value', value: 7 });
  });

  test.each([
    ['with a wrong password', { tls, auth: { ...auth, password: new Secret('wrong') } }],
    ['without a password', { tls }],
  ])('does not authorise who comes %s', async (_, options) => {
    expect(await ask(providerWith(options), 'vector(1)')).toMatchObject({
      kind: 'ProviderDown',
      cause: 'Unauthorized',
    });
  });

  test('ends the connection of who comes without a client certificate', async () => {
    const { ca, serverName } = tls;
    expect(await ask(providerWith({ tls: { ca, serverName }, auth }), 'vector(1)')).toMatchObject({
      kind: 'ProviderDown',
      cause: 'Reset',
      message: expect.stringContaining('client certificate'),
    });
  });

  test('spoken to without TLS has made no statement about the query', async () => {
    const plain = providerAt(`http://127.0.0.1:${prometheus.port}`);
    open.push(plain);
    expect(await ask(plain, 'vector(1)')).toMatchObject({ kind: 'ProviderDown', cause: 'Http4xx' });
  });
});
