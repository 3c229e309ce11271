import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { Scale } from './builtins.ts';
import type {
  CallOptions,
  KubeClient,
  ListPage,
  Patch,
  PatchOptions,
  Preconditions,
  RawRequest,
  Selection,
  WriteOptions,
} from './client.ts';
import { CredentialSource } from './credentials.ts';
import { type CallPorts, callText, describeCall } from './http-call.ts';
import type { JsonPatchOperation } from './json-patch.ts';
import { isNotFound, KubeError } from './kube-error.ts';
import { apiVersionOf, type KubeObject, type ObjectRef, pathOf, type Resource } from './resource.ts';
import { SafetyPace } from './safety-pace.ts';
import { type Sender, Transport } from './transport.ts';
import { watchEvents } from './watch.ts';

const PAGE_SIZE = 500;

export interface ClientPorts {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Also the default field manager; for example `sluice-operator`. */
  readonly userAgent: string;
  /** Of one answer of the API server; default 128 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  readonly onTry?: CallPorts['onTry'];
}

/** A client for the current context of `kubeConfig`. Opens no connection before the first call. */
export function createClient(kubeConfig: KubeConfig, ports: ClientPorts): KubeClient {
  return clientOver(new Transport(new CredentialSource(kubeConfig, ports.clock), ports.clock), ports);
}

/** A client whose requests go through `transport`. */
export function clientOver(transport: Sender, ports: ClientPorts): KubeClient {
  const call = new Caller(ports, transport);

  async function getAt<T>(path: string, options: CallOptions): Promise<T | undefined> {
    try {
      return (await call.json({ method: 'GET', path }, true, options)) as T;
    } catch (error) {
      if (isNotFound(error) && error.aboutObject) return undefined;
      throw error;
    }
  }

  return {
    get: (resource, ref, options) => getAt(pathOf(resource, ref), options),

    getScale: (resource, ref, options) => getAt<Scale>(pathOf(resource, ref, 'scale'), options),

    async list<T extends KubeObject>(resource: Resource<T>, selection: Selection, options: CallOptions) {
      const items: T[] = [];
      let resourceVersion = '';
      for await (const page of listPages(call, resource, selection, options)) {
        items.push(...page.items);
        resourceVersion = page.resourceVersion;
      }
      return { items, resourceVersion };
    },

    pages: (resource, selection, options) => listPages(call, resource, selection, options),

    watch: (resource, options) =>
      watchEvents({ transport, clock: ports.clock, headers: call.headers() }, resource, options),

    create: (resource, object, options) => {
      const { namespace } = object.metadata;
      const request = { method: 'POST', path: pathOf(resource, { namespace }), body: object } as const;
      // Not repeated: had the first try gone through, the second would fail with AlreadyExists.
      return call.write(request, false, options);
    },

    replace: (resource, object, options) => {
      const path = pathOf(resource, object.metadata, options.subresource);
      return call.write({ method: 'PUT', path, body: object }, true, options);
    },

    patch: (resource, ref, patch, options) => call.write(...patchRequest(resource, ref, patch, options), options),

    apply: (resource, object, options) => {
      const path = pathOf(resource, object.metadata, options.subresource);
      const contentType = 'application/apply-patch+yaml'; // JSON is YAML
      const query = { force: options.force };
      return call.write({ method: 'PATCH', path, body: object, contentType, query }, true, options);
    },

    async delete(resource, ref, options) {
      const body = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        preconditions: options.preconditions,
        propagationPolicy: options.propagation,
      };
      try {
        await call.json({ method: 'DELETE', path: pathOf(resource, ref), body }, true, options);
        return true;
      } catch (error) {
        if (isNotFound(error) && error.aboutObject) return false;
        throw error;
      }
    },

    async raw(request, options) {
      const text = await call.text(request, request.method === 'GET', options);
      try {
        return JSON.parse(text);
      } catch {
        return text; // logs and the like are not JSON
      }
    },

    close: (graceMs = 2_000) => transport.close(graceMs),
  };
}

/** Adds to a request what all calls share. */
class Caller {
  readonly #ports: ClientPorts;
  readonly #transport: Sender;
  readonly #pace = new SafetyPace();

  constructor(ports: ClientPorts, transport: Sender) {
    this.#ports = ports;
    this.#transport = transport;
  }

  headers(contentType?: string): Record<string, string> {
    const common = { accept: 'application/json', 'user-agent': this.#ports.userAgent };
    return contentType ? { ...common, 'content-type': contentType } : common;
  }

  text(request: RawRequest, repeatable: boolean, options: CallOptions): Promise<string> {
    const { method, path, query = {}, body, contentType = 'application/json' } = request;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, `${value}`);
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = this.headers(sent === undefined ? undefined : contentType);
    const http = { method, path, query: `${search}`, headers, body: sent };
    return callText({ ...this.#ports, transport: this.#transport, pace: this.#pace }, http, repeatable, options);
  }

  async json(request: RawRequest, repeatable: boolean, options: CallOptions): Promise<unknown> {
    const text = await this.text(request, repeatable, options);
    try {
      return JSON.parse(text);
    } catch (cause) {
      const call = describeCall(request);
      const message = 'the answer is no JSON: is this an API server?';
      throw new KubeError('SLUICE_KUBE_UNAVAILABLE', message, { call, httpStatus: 200, cause });
    }
  }

  async write<T>(request: RawRequest, repeatable: boolean, options: WriteOptions): Promise<T> {
    const fieldManager = options.fieldManager ?? this.#ports.userAgent;
    const fieldValidation = options.strict ? 'Strict' : undefined;
    const query = { ...request.query, fieldManager, fieldValidation, dryRun: options.dryRun ? 'All' : undefined };
    return (await this.json({ ...request, query }, repeatable, options)) as T;
  }
}

async function* listPages<T extends KubeObject>(
  call: Caller,
  resource: Resource<T>,
  { namespace, labelSelector, fieldSelector }: Selection,
  options: CallOptions,
): AsyncGenerator<ListPage<T>> {
  const apiVersion = apiVersionOf(resource);
  const path = pathOf(resource, { namespace });
  let token: string | undefined;
  do {
    const query = { limit: PAGE_SIZE, continue: token, labelSelector, fieldSelector };
    const page = (await call.json({ method: 'GET', path, query }, true, options)) as {
      metadata: { resourceVersion: string; continue?: string };
      items: T[] | null;
    };
    // Items of a list carry neither, but an object without them cannot be written back.
    const items = (page.items ?? []).map((item) => ({ ...item, apiVersion, kind: resource.kind }));
    yield { items, resourceVersion: page.metadata.resourceVersion };
    token = page.metadata.continue || undefined;
  } while (token);
}

function patchRequest(
  resource: Resource,
  ref: ObjectRef,
  patch: Patch,
  { preconditions = {}, repeatable, subresource }: PatchOptions,
): [RawRequest, boolean] {
  const path = pathOf(resource, ref, subresource);
  const pinned = preconditions.resourceVersion !== undefined;
  if ('json' in patch) {
    const contentType = 'application/json-patch+json';
    const body = [...preconditionOperations(preconditions), ...patch.json];
    return [{ method: 'PATCH', path, body, contentType }, repeatable ?? pinned];
  }
  const contentType = 'application/merge-patch+json';
  const given = patch.merge as { metadata?: object };
  const body = { ...given, metadata: { ...given.metadata, ...preconditions } };
  return [{ method: 'PATCH', path, body, contentType }, repeatable ?? true];
}

/** The API server compares a written uid and resourceVersion with its own: a difference is a conflict. */
function preconditionOperations({ uid, resourceVersion }: Preconditions): JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  if (uid !== undefined) operations.push({ op: 'replace', path: '/metadata/uid', value: uid });
  if (resourceVersion !== undefined) {
    operations.push({ op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion });
  }
  return operations;
}
