import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { Secret } from '../../base/secret.ts';
import { Load } from '../../evaluator/load.ts';
import type { CallerClient } from '../../kube/caller-clients.ts';
import { CallerRates, type RateLimits } from './caller-rates.ts';
import { ApiRefusal, overloaded } from './failure.ts';

export interface ApiPorts {
  readonly clients: { withToken(token: Secret): CallerClient };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of every answer of an operation, refusals included. */
  answered(operation: string, status: number): void;
}

export interface ApiLimits {
  /** Requests that are received or answered at a time, and bytes of their bodies. */
  readonly requests: number;
  readonly bodyBytes: number;
  /** The same of requests for what is public, which take nothing from callers. */
  readonly documents: number;
  /** Bytes of answers that are not yet with the system. */
  readonly answerBytes: number;
  /** Requests for which the API server is asked at a time. */
  readonly calls: number;
  readonly rates: RateLimits;
}

export const MAX_BODY_BYTES = 1_048_576;
export const MAX_TOKEN_CHARS = 16_384;
/** Requests of one connection that are received or answered at a time. */
const PER_CONNECTION = 8;
/** For the answer to leave: a caller who does not read it is cut. */
const SEND_MS = 30_000;

/** Somebody with a token. */
export interface Caller {
  readonly token: Secret;
  /** Digest of the token, for counting and for the log. */
  readonly digest: string;
}

/** Who comes in, and how many. */
export class Gate {
  readonly ports: ApiPorts;
  readonly #load: Load;
  readonly #documents: Load;
  readonly #ofConnection = new WeakMap<Socket, number>();
  readonly #maxAnswerBytes: number;
  #answerBytes = 0;
  readonly #rates: CallerRates;
  readonly #maxCalls: number;
  #calls = 0;

  constructor(ports: ApiPorts, { requests, bodyBytes, documents, answerBytes, calls, rates }: ApiLimits) {
    this.ports = ports;
    this.#documents = new Load({ requests: documents, bodyBytes: 0, largestBodyBytes: 0 });
    this.#maxAnswerBytes = answerBytes;
    this.#load = new Load({ requests, bodyBytes, largestBodyBytes: MAX_BODY_BYTES });
    this.#rates = new CallerRates(rates, ports.clock);
    this.#maxCalls = calls;
  }

  /** Before anything of the body is read. Throws 429. */
  enter({ method, headers, raw }: FastifyRequest, reply: FastifyReply, isPublic: boolean): void {
    const { socket } = raw;
    const sameConnection = this.#ofConnection.get(socket) ?? 0;
    if (sameConnection >= PER_CONNECTION) throw overloaded('too many requests of this connection are under way');
    const load = isPublic ? this.#documents : this.#load;
    const leave = load.enter(method === 'GET' || method === 'HEAD' ? '0' : headers['content-length']);
    if (!leave) throw overloaded('too many requests are under way');
    this.#ofConnection.set(socket, sameConnection + 1);
    reply.raw.once('close', () => {
      leave();
      this.#ofConnection.set(socket, (this.#ofConnection.get(socket) ?? 1) - 1);
    });
  }

  /** Before the text of an answer is handed over. Throws 429 for one that does not fit and changed nothing. */
  send({ method, raw }: FastifyRequest, reply: FastifyReply, text: string): void {
    if (reply.raw.destroyed) return; // its `close` has been
    const bytes = Buffer.byteLength(text);
    const mayRefuse = reply.statusCode === 200 && method === 'GET';
    if (mayRefuse && this.#answerBytes + bytes > this.#maxAnswerBytes) {
      reply.removeHeader('etag'); // of what is not sent
      throw overloaded('too many answers wait to be read');
    }
    this.#answerBytes += bytes;
    const cancel = this.ports.clock.after(SEND_MS, () => raw.socket.destroy());
    reply.raw.once('close', () => {
      cancel();
      this.#answerBytes -= bytes;
    });
  }

  /** Whose request it is. Throws 401 and 429. */
  identify({ headers }: FastifyRequest): Caller {
    const [, token] = /^Bearer +([\x21-\x7e]+)$/i.exec(headers.authorization ?? '') ?? [];
    if (token === undefined || token.length > MAX_TOKEN_CHARS)
      throw new ApiRefusal('SLUICE_API_TOKEN', 401, 'there is no bearer token');
    const digest = createHash('sha256').update(token).digest('hex').slice(0, 16);
    const waitMs = this.#rates.take(digest);
    if (waitMs > 0) throw overloaded('this caller asks too often', waitMs);
    return { token: new Secret(token), digest };
  }

  /** While the API server is asked. Throws 429. */
  async call<T>(run: () => Promise<T>): Promise<T> {
    if (this.#calls >= this.#maxCalls) throw overloaded('too many requests are being answered');
    this.#calls++;
    try {
      return await run();
    } finally {
      this.#calls--;
    }
  }
}
