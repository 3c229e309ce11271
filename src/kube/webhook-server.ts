import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { settlesWithin, withDeadline } from './deadline.ts';
import type { JsonPatch } from './json-patch.ts';
import type { KubeObject } from './resource.ts';

/** An object and its old self, each at most 3 MiB (the API server's own limit), and some words about them. */
const MAX_BODY_BYTES = 8 * 2 ** 20;
/** Bodies that are being read or judged, all together. */
const MAX_HELD_BYTES = 64 * 2 ** 20;

/**
 * The API server closes its idle connections after 90 s (client-go's transports). It must be the first to do so: a review
 * that it sends on a connection that we close in that moment is not repeated, and `failurePolicy: Fail` refuses the write.
 */
const KEEP_ALIVE_MS = 120_000;

const reviewSchema = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string(),
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    kind: z.looseObject({ group: z.string(), version: z.string(), kind: z.string() }),
    resource: z.looseObject({ group: z.string(), version: z.string(), resource: z.string() }),
    subResource: z.string().optional(),
    name: z.string().default(''),
    namespace: z.string().optional(),
    userInfo: z.looseObject({ username: z.string().default(''), groups: z.array(z.string()).default([]) }),
    object: z.looseObject({}).nullish(),
    oldObject: z.looseObject({}).nullish(),
    dryRun: z.boolean().default(false),
  }),
});

/** What the API server asks (admission.k8s.io/v1). */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly subResource?: string | undefined;
  /** '' when the API server is to make up a name. */
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly userInfo: { readonly username: string; readonly groups: readonly string[] };
  /** As it is to be stored; missing on DELETE. */
  readonly object?: KubeObject | null | undefined;
  /** As it is stored now; missing on CREATE. */
  readonly oldObject?: KubeObject | null | undefined;
  readonly dryRun: boolean;
}

export type AdmissionAnswer =
  | { readonly allowed: true; readonly patch?: JsonPatch; readonly warnings?: readonly string[] }
  /** `code` is the HTTP status that the user gets; default 403. */
  | {
      readonly allowed: false;
      readonly message: string;
      readonly code?: number;
      readonly warnings?: readonly string[];
    };

/** Judges one request. A throw is answered with 500, so `failurePolicy` decides. */
export type Admit = (request: AdmissionRequest, signal: AbortSignal) => Promise<AdmissionAnswer>;

export interface TlsPair {
  /** PEM. */
  readonly cert: string;
  /** PEM; secret. */
  readonly key: string;
}

export interface WebhookOptions {
  readonly host: string;
  /** 0 = any free one, see `port`. */
  readonly port: number;
  /** By path, such as `/mutate-deployments`. */
  readonly routes: Readonly<Record<string, Admit>>;
  /** For one answer; stay below the configuration's `timeoutSeconds`. Default 2_500. */
  readonly deadlineMs?: number;
}

/** Answers AdmissionReviews over HTTPS. Certificates are exchanged while it serves. */
export class WebhookServer {
  readonly #ports: { readonly clock: Clock; readonly logger: Logger };
  readonly #options: WebhookOptions;
  readonly #end = new AbortController();
  #server: Server | undefined;
  /** All, also those whose TLS handshake never ends: Node's own `closeAllConnections` does not know these. */
  readonly #sockets = new Set<Duplex>();
  #heldBytes = 0;

  constructor(ports: { readonly clock: Clock; readonly logger: Logger }, options: WebhookOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Resolves when it listens. */
  async start(tls: TlsPair): Promise<void> {
    const limits = {
      handshakeTimeout: 5_000,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: 16_384,
    };
    const server = createServer({ ...limits, ...tls, minVersion: 'TLSv1.2' }, (incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch((err: unknown) => {
        // Left alone it would end the process, and with it the gate of everybody else.
        this.#ports.logger.error({ err }, 'an admission request could not even be answered');
        incoming.socket.destroy();
      });
    });
    server.maxConnections = 1_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await once(server.listen(this.#options.port, this.#options.host), 'listening');
  }

  /** New connections get this certificate; those that are open go on. */
  reload(tls: TlsPair): void {
    this.#server?.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
  }

  /** Takes no more connections, lets answers end for at most `graceMs`, then cuts them. */
  async stop(graceMs = 2_000): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve)); // closes idle connections too
    if (!(await settlesWithin(this.#ports.clock, closed, graceMs))) {
      this.#end.abort(new Error('the webhook server was stopped'));
      for (const socket of this.#sockets) socket.destroy();
      await closed;
    }
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const held = { bytes: 0 };
    try {
      const [path = ''] = incoming.url?.split('?', 1) ?? []; // whatever it is: `//`, say, is no URL
      const admit = this.#options.routes[path];
      if (!admit) throw new Refusal(404, 'no webhook at this path');
      if (incoming.method !== 'POST') throw new Refusal(405, 'an AdmissionReview comes by POST');
      const request = parseReview(await this.#read(incoming, held));
      const { clock } = this.#ports;
      const deadlineMs = this.#options.deadlineMs ?? 2_500;
      const answer = await withDeadline(clock, this.#end.signal, deadlineMs, (signal) =>
        abortable(admit(request, signal), signal),
      );
      this.#send(outgoing, 200, reviewOf(request.uid, answer));
    } catch (err) {
      const status = err instanceof Refusal ? err.status : 500;
      if (status === 500)
        this.#ports.logger.error({ err, path: incoming.url }, 'an admission request was not answered');
      this.#send(outgoing, status, { message: err instanceof Refusal ? err.message : 'internal error' });
    } finally {
      this.#heldBytes -= held.bytes;
    }
  }

  #send(outgoing: ServerResponse, status: number, body: object): void {
    if (outgoing.destroyed) return;
    // A connection that is kept would hold up `stop`, and one whose body was not read cannot be used again.
    const close = status !== 200 || !this.#server?.listening;
    outgoing.writeHead(status, { 'content-type': 'application/json', ...(close && { connection: 'close' }) });
    outgoing.end(JSON.stringify(body));
  }

  async #read(incoming: IncomingMessage, held: { bytes: number }): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      held.bytes += chunk.length;
      this.#heldBytes += chunk.length;
      if (held.bytes > MAX_BODY_BYTES) throw new Refusal(413, 'the review is too large');
      if (this.#heldBytes > MAX_HELD_BYTES) throw new Refusal(503, 'too many reviews at a time');
    }
    return Buffer.concat(chunks, held.bytes).toString('utf8');
  }
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Rejects with the signal's reason even when `work` does not heed it. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject);
  });
}

function parseReview(text: string): AdmissionRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
  const review = reviewSchema.safeParse(json);
  if (!review.success) throw new Refusal(400, 'the body is not an AdmissionReview of admission.k8s.io/v1');
  // The API server has decoded the objects before it asks: they have an apiVersion, a kind and metadata.
  return review.data.request as typeof review.data.request & AdmissionRequest;
}

function reviewOf(uid: string, answer: AdmissionAnswer): object {
  const { allowed, warnings } = answer;
  const response = { uid, allowed, ...(warnings && { warnings }) };
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
  if (!answer.allowed) {
    return { ...review, response: { ...response, status: { code: answer.code ?? 403, message: answer.message } } };
  }
  if (!answer.patch?.length) return { ...review, response };
  const patch = Buffer.from(JSON.stringify(answer.patch)).toString('base64');
  return { ...review, response: { ...response, patchType: 'JSONPatch', patch } };
}
