import type { FastifyReply } from 'fastify';
import { type Code, SluiceError } from '../../base/errors.ts';

/** How a batch that is not taken is answered. */
interface Failure {
  readonly status: number;
  readonly code: Code;
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
}

const answers: Partial<Record<Code, Pick<Failure, 'status' | 'retryAfterSeconds'>>> = {
  SLUICE_EVENTS_BODY: { status: 400 },
  SLUICE_EVENTS_TOO_LARGE: { status: 413 },
  SLUICE_EVENTS_OVERLOADED: { status: 429, retryAfterSeconds: 1 },
  SLUICE_EVENTS_STORE: { status: 503, retryAfterSeconds: 5 },
  SLUICE_EVENTS_NO_RULESET: { status: 503, retryAfterSeconds: 5 },
};

/** Answers in the form of all errors of an evaluator: OFREP's, and our code. */
export function sendFailure(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, code, message, retryAfterSeconds } = failureOf(error);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  const errorCode = status === 400 || status === 415 ? 'PARSE_ERROR' : 'GENERAL';
  return reply.code(status).send({ errorCode, errorDetails: message, code });
}

function failureOf(error: unknown): Failure {
  if (error instanceof SluiceError) return codedFailure(error);
  const { code, statusCode = 500 } = error as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { status: 413, code: 'SLUICE_EVENTS_TOO_LARGE', message: 'the body is larger than 1 MiB' };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return { status: 415, code: 'SLUICE_EVENTS_BODY', message: 'the content type must be application/json' };
  // What is left of fastify's own: a length that is not that of the body.
  if (statusCode >= 400 && statusCode < 500)
    return { status: statusCode, code: 'SLUICE_EVENTS_BODY', message: 'the body cannot be read' };
  return { status: 500, code: 'SLUICE_INTERNAL', message: 'the batch was not taken' };
}

/** Ours by their code; one of the server around us, such as its overload, says itself how it is answered. */
function codedFailure(error: SluiceError & { status?: unknown; retryAfterSeconds?: unknown }): Failure {
  const { code, message, status, retryAfterSeconds } = error;
  const answer = answers[code];
  if (answer !== undefined) return { code, message, ...answer };
  if (typeof status !== 'number') return { status: 500, code, message: 'the batch was not taken' };
  return { status, code, message, ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }) };
}
