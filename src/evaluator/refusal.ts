import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Code, SluiceError } from '../base/errors.ts';

export const OFREP_FLAGS = '/ofrep/v1/evaluate/flags';

/** Error codes of OFREP for what is wrong with a request. */
export type OfrepErrorCode = 'PARSE_ERROR' | 'INVALID_CONTEXT' | 'GENERAL';

/** A request that is answered by an error: how, in HTTP and in OFREP. */
export class Refusal extends SluiceError {
  readonly status: number;
  readonly errorCode: OfrepErrorCode;
  /** For the header Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: Code,
    message: string,
    how: { readonly status: number; readonly errorCode: OfrepErrorCode; readonly retryAfterSeconds?: number },
  ) {
    super(code, message);
    this.status = how.status;
    this.errorCode = how.errorCode;
    this.retryAfterSeconds = how.retryAfterSeconds;
  }
}

export const invalid = (message: string, errorCode: OfrepErrorCode = 'PARSE_ERROR'): Refusal =>
  new Refusal('SLUICE_REQUEST_INVALID', message, { status: 400, errorCode });

export const overloaded = (message: string): Refusal =>
  new Refusal('SLUICE_OVERLOADED', message, { status: 429, errorCode: 'GENERAL', retryAfterSeconds: 1 });

/** OFREP's clients take a 503 for an answer that they do not understand; a 500 they pass on. */
export const notReady = (): Refusal =>
  new Refusal('SLUICE_EVALUATOR_NOT_READY', 'there is no ruleset yet', { status: 500, errorCode: 'GENERAL' });

/** Whoever asks falls back to its own default. */
export const failClosed = (): Refusal =>
  new Refusal('SLUICE_EVALUATOR_FAIL_CLOSED', 'the operator was not heard for longer than --fail-closed-after', {
    status: 500,
    errorCode: 'GENERAL',
  });

const tooLarge = (message: string): Refusal =>
  new Refusal('SLUICE_REQUEST_TOO_LARGE', message, { status: 413, errorCode: 'INVALID_CONTEXT' });

/** OFREP's clients understand these besides 200 and 304, and no others (research of 2026-11 over ofrep-core 2.3.0). */
const UNDERSTOOD = [400, 401, 403, 404, 429, 500];

/**
 * The answer to a request that failed. One form everywhere: OFREP's, which must have `errorCode`, and `key` where one flag was
 * asked for, or its clients hide the reason; and our own code.
 */
export function sendRefusal(refusal: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, errorCode, code, message, retryAfterSeconds } = refusal;
  const isOfrep = request.url.startsWith(OFREP_FLAGS);
  const key = askedKey(request);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  return reply
    .code(isOfrep && !UNDERSTOOD.includes(status) ? 400 : status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ ...(key !== undefined && { key }), errorCode, errorDetails: message, code }));
}

/** The key in the path of a single evaluation; as it was sent where it cannot be decoded. */
export function askedKey({ params, url }: FastifyRequest): string | undefined {
  const key = (params as { '*'?: string } | undefined)?.['*'];
  if (key !== undefined) return key;
  return url.startsWith(`${OFREP_FLAGS}/`) ? url.slice(OFREP_FLAGS.length + 1) : undefined;
}

/** What went wrong before or in a handler, as a refusal; undefined for what is a bug. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge('the body is larger than 1 MiB');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const how = { status: 415, errorCode: 'PARSE_ERROR' } as const;
    return new Refusal('SLUICE_REQUEST_INVALID', 'the content type must be application/json', how);
  }
  if (code === 'FST_ERR_BAD_URL') return invalid('the path is not well percent-encoded', 'GENERAL');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return invalid((error as Error).message);
  return undefined;
}
