import type { Clock } from '../base/clock.ts';
import type { WatchEvent, WatchOptions } from './client.ts';
import { DeadlinePassed } from './deadline.ts';
import { brokenConnection, describeCall } from './http-call.ts';
import { KubeError, type Status } from './kube-error.ts';
import { lines } from './lines.ts';
import { apiVersionOf, type KubeObject, pathOf, type Resource } from './resource.ts';
import { errorOfAnswer, errorOfStatus, readText } from './response.ts';
import type { HttpRequest, Sender } from './transport.ts';

/** The API server answers the head of a watch at once. */
const HEAD_DEADLINE_MS = 15_000;
/** etcd refuses objects beyond 1.5 MiB; their JSON, with managed fields, may be some times larger. */
const MAX_EVENT_BYTES = 16 * 2 ** 20;

export interface WatchPorts {
  readonly transport: Sender;
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * One watch connection as a stream of events. Ends when the server ends it; throws SLUICE_KUBE_EXPIRED when the version is
 * gone, SLUICE_KUBE_UNAVAILABLE when the connection broke, the signal's reason when aborted. Leaving the loop closes it.
 */
export async function* watchEvents<T extends KubeObject>(
  ports: WatchPorts,
  resource: Resource<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { signal } = options;
  signal.throwIfAborted();
  const request = watchRequest(ports, resource, options);
  const call = `${describeCall(request)} (watch)`;
  const connection = new AbortController();
  const stop = () => connection.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const body = await open(ports, request, connection, call);
    const tooLong = () => new KubeError('SLUICE_KUBE_TOO_LARGE', 'an event is too large', { call, httpStatus: 200 });
    for await (const line of lines(body, MAX_EVENT_BYTES, tooLong)) yield eventOf(resource, line, call);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof KubeError ? error : brokenConnection(call, error);
  } finally {
    signal.removeEventListener('abort', stop);
    connection.abort(); // the socket goes with it: a watch cannot be shared or reused
  }
}

function watchRequest(ports: WatchPorts, resource: Resource, options: WatchOptions): HttpRequest {
  const { namespace, labelSelector, fieldSelector, resourceVersion } = options;
  const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion });
  if (labelSelector) query.set('labelSelector', labelSelector);
  if (fieldSelector) query.set('fieldSelector', fieldSelector);
  const path = pathOf(resource, { namespace });
  return { method: 'GET', path, query: `${query}`, headers: ports.headers, body: undefined };
}

async function open({ transport, clock }: WatchPorts, request: HttpRequest, connection: AbortController, call: string) {
  const cancel = clock.after(HEAD_DEADLINE_MS, () => connection.abort(new DeadlinePassed(HEAD_DEADLINE_MS)));
  try {
    const { statusCode, headers, body } = await transport.send('watch', request, connection.signal);
    if (statusCode === 200) return body;
    if (statusCode === 401) transport.distrustCredentials();
    const text = await readText(body, 2 ** 20, call);
    const retryAfter = String(headers['retry-after'] ?? '') || undefined;
    throw errorOfAnswer(call, { httpStatus: statusCode, text, retryAfter }, clock.now());
  } finally {
    cancel();
  }
}

function eventOf<T extends KubeObject>(resource: Resource<T>, line: string, call: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as { type: string; object: T };
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind } };
    case 'BOOKMARK':
      return { type, resourceVersion: object.metadata.resourceVersion ?? '' };
    default: // ERROR, and whatever a future server may say
      throw errorOfStatus(call, object as Status);
  }
}
