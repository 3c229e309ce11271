import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { onTestFinished } from 'vitest';
import { waitFor } from '../../hack/cluster/wait.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/logger.ts';
import { CallerClients } from '../../src/kube/caller-clients.ts';
import { ApiService } from '../../src/server/api/api-service.ts';
import type { ApiLimits } from '../../src/server/api/gate.ts';
import { kubeConfig } from './api-server.ts';
import { loopbackCertificate } from './flag-webhook.ts';
import type { Manifest } from './manifests.ts';
import { rawApi } from './raw-api.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
}

export interface Asked {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is when it is a text. */
  readonly body?: unknown;
}

export interface RunningApi {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly service: ApiService;
  /** What was logged, each with its level. */
  readonly lines: Record<string, unknown>[];
  ask(method: string, path: string, asked?: Asked): Promise<ApiAnswer>;
}

/** More than any test asks for, so that only tests of limits meet them. */
export const WIDE: ApiLimits = {
  requests: 128,
  bodyBytes: 64 * 1_048_576,
  documents: 128,
  answerBytes: 64 * 1_048_576,
  calls: 64,
  rates: { perSecond: 100_000, burst: 100_000, callers: 100 },
};

/** The operator's HTTP API as a replica serves it, on loopback, until the test ends. */
export async function startApi(config: KubeConfig = kubeConfig(), limits: ApiLimits = WIDE): Promise<RunningApi> {
  const lines: Record<string, unknown>[] = [];
  const log = (level: string) => (facts: object, message: string) => void lines.push({ level, ...facts, message });
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const ports = { logger, clock: systemClock, random: Math.random, userAgent: 'sluice-api' };
  const clients = new CallerClients(config, { ...ports, maxAnswerBytes: 4 * 1_048_576 });
  const service = new ApiService({ clients, clock: systemClock, logger, answered: () => {} }, limits);
  const { ca, ...pair } = loopbackCertificate();
  const port = await service.start({ host: '127.0.0.1', port: 0 }, pair);
  const dispatcher = new Agent({ connect: { ca } });
  onTestFinished(async () => {
    await service.stop();
    await clients.close(0);
    await dispatcher.destroy();
  });
  const url = `https://127.0.0.1:${port}`;
  const ask = async (method: string, path: string, { token, headers = {}, body }: Asked = {}): Promise<ApiAnswer> => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await request(`${url}${path}`, {
      dispatcher,
      method: method as 'GET',
      headers: {
        ...(sent !== undefined && { 'content-type': contentType }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: sent ?? null,
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { url, ca, service, lines, ask };
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** The token of a new account that may do this with the flags of its namespace. Resolves when the rights are in force. */
export async function accountWith(
  namespace: string,
  name: string,
  verbs: readonly string[],
  config: KubeConfig = kubeConfig(),
): Promise<string> {
  const post = async (path: string, body: Manifest): Promise<Manifest> => {
    const answer = await rawApi(config, 'POST', path, { body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.body.message}`);
    return answer.body;
  };
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await post(accounts, { metadata: { name } });
  const rules = [{ apiGroups: ['sluice.dev'], resources: ['featureflags'], verbs }];
  await post(`${RBAC}/namespaces/${namespace}/roles`, { metadata: { name }, rules });
  await post(`${RBAC}/namespaces/${namespace}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const user = `system:serviceaccount:${namespace}:${name}`;
  const attributes = { namespace, verb: verbs.at(-1), group: 'sluice.dev', resource: 'featureflags' };
  const review = {
    kind: 'SubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    spec: { user, resourceAttributes: attributes },
  };
  const isInForce = async () =>
    (await post('/apis/authorization.k8s.io/v1/subjectaccessreviews', review)).status.allowed === true;
  const signal = AbortSignal.timeout(30_000);
  await waitFor(isInForce, { what: `the rights of ${name}`, timeoutMs: 20_000, everyMs: 50, signal });
  const request = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: {} };
  return (await post(`${accounts}/${name}/token`, request)).status.token;
}
