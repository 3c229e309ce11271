import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silent } from '../../../src/base/logger.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { DurationMs } from '../../../src/base/units.ts';
import { configMaps, mutatingWebhookConfigurations, secrets } from '../../../src/kube/builtins.ts';
import { CertificateKeeper } from '../../../src/kube/certificate-keeper.ts';
import { issueServingCertificate } from '../../../src/kube/certificates.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { type Admit, type TlsPair, WebhookServer } from '../../../src/kube/webhook-server.ts';
import { makeNamespace } from '../../support/api-server.ts';
import { makeClient } from '../../support/kube-client.ts';

const ports = { clock: systemClock, logger: silent, random: seededRandom(9) };

/** A server at a free port; its TLS pair comes from `issueServingCertificate` or from a keeper. */
async function serve(routes: Record<string, Admit>, tls: TlsPair, deadlineMs = 2_500): Promise<WebhookServer> {
  const server = new WebhookServer(ports, { host: '127.0.0.1', port: 0, routes, deadlineMs });
  onTestFinished(() => server.stop(0));
  await server.start(tls);
  return server;
}

const issue = () =>
  issueServingCertificate({
    hosts: ['127.0.0.1'],
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });

/** Has the API server ask these ports before ConfigMaps of the namespace are made, and answers the configuration's name. */
async function configure(
  client: KubeClient,
  namespace: string,
  hooks: readonly { port: number; ca?: string }[],
  signal: AbortSignal,
): Promise<string> {
  const webhooks = hooks.map(({ port, ca }, i) => ({
    name: `hook-${i}.example.com`,
    clientConfig: {
      url: `https://127.0.0.1:${port}/mutate`,
      ...(ca && { caBundle: Buffer.from(ca).toString('base64') }),
    },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    timeoutSeconds: 5,
    admissionReviewVersions: ['v1'],
  }));
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks,
  };
  await client.create(mutatingWebhookConfigurations, configuration, { signal });
  onTestFinished(async () => {
    const end = { signal: AbortSignal.timeout(10_000) };
    await client.delete(mutatingWebhookConfigurations, { name: namespace }, end);
  });
  return namespace;
}

const map = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
});

/** POSTs a body over a connection of its own, which shows the certificate that is served now. */
function post(port: number, ca: string, body: string, path = '/mutate'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', ca, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const review = (uid: string) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      userInfo: { username: 'somebody' },
      object: map('ns', 'a'),
    },
  });

const mark: Admit = async ({ object }) => {
  if (object?.metadata.name === 'refused') return { allowed: false, message: 'not this one', code: 422 };
  const path = '/metadata/labels';
  return { allowed: true, patch: [{ op: 'add', path, value: { marked: 'yes' } }], warnings: ['it was marked'] };
};

test('the API server asks, and objects are changed or refused as answered', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('hook');
  const tls = issue();
  const server = await serve({ '/mutate': mark }, tls);
  await configure(client, namespace, [{ port: server.port, ca: tls.ca }], signal);
  // The API server learns of the configuration a moment later.
  await waitFor(
    async () => {
      const name = `try-${Math.random().toString(36).slice(2)}`;
      const created = await client.create(configMaps, map(namespace, name), { signal });
      return created.metadata.labels?.marked === 'yes';
    },
    { what: 'the webhook being asked', timeoutMs: 10_000, signal },
  );
  await expect(client.create(configMaps, map(namespace, 'refused'), { signal })).rejects.toMatchObject({
    httpStatus: 422,
    message: expect.stringContaining('not this one'),
  });
});

test('what is no review is refused with its reason, and a crash or a slow answer is a 500', async () => {
  const tls = issue();
  const routes: Record<string, Admit> = {
    '/mutate': mark,
    '/crash': () => Promise.reject(new Error('secret details')),
    '/slow': () => new Promise(() => {}),
  };
  const server = await serve(routes, tls, 200);
  const status = async (body: string, path?: string) => (await post(server.port, tls.ca, body, path)).status;
  expect(await status('{')).toBe(400);
  expect(await status('{"kind":"Pod"}')).toBe(400);
  expect(await status(review('u'), '/elsewhere')).toBe(404);
  expect(await status(review('u'), '/slow')).toBe(500);
  const crash = await post(server.port, tls.ca, review('u'), '/crash');
  expect(crash.status).toBe(500);
  expect(crash.text).not.toContain('secret');
  const good = await post(server.port, tls.ca, review('u-1'));
  expect(JSON.parse(good.text).response).toMatchObject({ uid: 'u-1', allowed: true, warnings: ['it was marked'] });
});

/** What comes back for a request that no client would write so, over a connection that the server ends. */
function say(port: number, ca: string, request: string): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, ca });
  socket.write(`${request}\r\nHost: webhook\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  return text(socket);
}

test.each(['GET // HTTP/1.1', 'POST //?x HTTP/1.1', 'POST http:// HTTP/1.1', 'POST /%ff? HTTP/1.1'])(
  'a target that is no address is refused, and the next review is answered: %s',
  async (line) => {
    const tls = issue();
    const server = await serve({ '/mutate': mark }, tls);
    expect(await say(server.port, tls.ca, line)).toMatch(/^HTTP\/1.1 404 /);
    expect((await post(server.port, tls.ca, review('u'), '/mutate?timeout=3s')).status).toBe(200);
  },
);

test('a failure to answer costs one connection', async () => {
  const tls = issue();
  const told: unknown[] = [];
  const logger = { ...silent, error: (facts: object, message: string) => void told.push({ ...facts, message }) };
  const answer = { allowed: true, warnings: [10n] } as unknown as Awaited<ReturnType<Admit>>; // JSON has no such numbers
  const routes: Record<string, Admit> = { '/mutate': mark, '/odd': async () => answer };
  const server = new WebhookServer({ ...ports, logger }, { host: '127.0.0.1', port: 0, routes });
  onTestFinished(() => server.stop(0));
  await server.start(tls);
  await expect(post(server.port, tls.ca, review('u'), '/odd')).rejects.toThrow('socket hang up');
  expect(told.at(-1)).toMatchObject({ message: 'an admission request could not even be answered' });
  expect((await post(server.port, tls.ca, review('u'))).status).toBe(200);
});

test('an idle connection is kept for longer than the 90 s after which the API server gives it up', async () => {
  const tls = issue();
  const server = await serve({ '/mutate': mark }, tls);
  const agent = new Agent({ keepAlive: true, ca: tls.ca });
  onTestFinished(() => agent.destroy());
  const asked = request({ host: '127.0.0.1', port: server.port, path: '/mutate', method: 'POST', agent });
  const answered = once(asked, 'response');
  asked.end(review('u'));
  const [response] = await answered;
  response.resume();
  const seconds = Number(/timeout=(\d+)/.exec(response.headers['keep-alive'])?.[1]);
  expect(seconds).toBeGreaterThan(90);
});

test('a body beyond the limit is cut off with 413, before all of it came', async () => {
  const tls = issue();
  const server = await serve({ '/mutate': mark }, tls);
  const outcome = await post(server.port, tls.ca, 'x'.repeat(64 * 2 ** 20)).then(
    ({ status }) => status,
    (error) => error.code, // the server may have closed while we still wrote
  );
  expect([413, 'EPIPE', 'ECONNRESET']).toContain(outcome);
  expect((await post(server.port, tls.ca, review('u'))).status).toBe(200);
});

test('the server stops in bounded time beside connections that say nothing and answers that never come', async () => {
  const tls = issue();
  let asked = () => {};
  const hangs = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = new WebhookServer(ports, {
    host: '127.0.0.1',
    port: 0,
    deadlineMs: 60_000,
    routes: {
      '/mutate': () => {
        asked();
        return new Promise(() => {});
      },
    },
  });
  await server.start(tls);
  const mute = connect(server.port, '127.0.0.1');
  await once(mute, 'connect');
  const call = post(server.port, tls.ca, review('u')).catch((error) => error);
  await hangs;
  const startedMs = performance.now();
  await server.stop(300);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  expect(await call).toBeInstanceOf(Error);
  mute.destroy();
});

test('certificates of two replicas rotate while requests flow, and no admission call fails', async ({ signal }) => {
  const client = makeClient();
  const namespace = await makeNamespace('rotate');
  const placeholder = issue();
  const replicas = await Promise.all([0, 1].map(() => serve({ '/mutate': mark }, placeholder)));
  const name = await configure(client, namespace, replicas, signal);
  const served = replicas.map(() => new Set<string>());
  const told = replicas.map((): string[] => []);
  const keepers = replicas.map((server, i) => {
    const keeper = new CertificateKeeper(
      { ...ports, client },
      {
        namespace,
        secretName: 'hook-tls',
        webhookConfigurationName: name,
        hosts: ['127.0.0.1'],
        lifetimeMs: 15_000 as DurationMs, // replaced after 10 s
        settleMs: 1_500 as DurationMs,
        onAuthorities: (bundle) => told[i]?.push(bundle),
        onCertificate: (pair) => {
          // The second is slow to load what it was told, yet faster than the settle time.
          const load = () => {
            served[i]?.add(pair.cert);
            server.reload(pair);
          };
          if (i === 0) load();
          else setTimeout(load, 400);
        },
      },
    );
    onTestFinished(() => keeper.stop());
    keeper.start();
    return keeper;
  });
  await Promise.all(keepers.map(({ ready }) => ready));
  const bundle = async () => {
    const configuration = await client.get(mutatingWebhookConfigurations, { name }, { signal });
    const texts = configuration?.webhooks?.map(({ clientConfig }) => clientConfig.caBundle ?? '') ?? [];
    expect(new Set(texts).size).toBe(1);
    return Buffer.from(texts[0] ?? '', 'base64').toString();
  };
  const created = async (i: number) =>
    (await client.create(configMaps, map(namespace, `m-${i}`), { signal })).metadata.labels?.marked === 'yes';
  await waitFor(() => created(-1 - Math.floor(Math.random() * 1e9)), { what: 'trust', timeoutMs: 20_000, signal });

  const authorities = new Set<number>();
  let calls = 0;
  while (served.some((certificates) => certificates.size < 3)) {
    signal.throwIfAborted();
    expect(await created(++calls)).toBe(true);
    const ca = await bundle();
    authorities.add(ca.split('BEGIN CERTIFICATE').length - 1);
    // A new connection to each replica, trusted as the API server would trust it now.
    for (const { port } of replicas) expect((await post(port, ca, review('u'))).status).toBe(200);
  }
  expect(calls).toBeGreaterThan(50);
  expect([...authorities].toSorted()).toEqual([1, 2]); // both while rotating, and only then
  expect(served[0]).toEqual(served[1]);
  // One, both while either may be served, and the new one alone.
  const counts = told[0]!.slice(0, 4).map((text) => text.split('BEGIN CERTIFICATE').length - 1);
  expect(counts).toEqual([1, 2, 2, 1]);
  const secret = await client.get(secrets, { namespace, name: 'hook-tls' }, { signal });
  expect(secret?.type).toBe('kubernetes.io/tls');
});
