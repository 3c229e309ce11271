import type { Problem } from '../../api/problem.ts';
import { type Code, codes, SluiceError } from '../../base/errors.ts';
import { DeadlinePassed } from '../../kube/deadline.ts';
import { isConflict, KubeError } from '../../kube/kube-error.ts';
import type { FailureForm } from './forms.ts';

type Where = Pick<Problem, 'path' | 'message'>;

/** A request that is refused here, before or without the API server. */
export class ApiRefusal extends SluiceError {
  readonly status: number;
  readonly problems: readonly Where[];
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, status: number, message: string, details: Pick<Details, 'problems' | 'retryAfterMs'> = {}) {
    super(code, message);
    this.status = status;
    this.problems = details.problems ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }
}

export const invalid = (message: string, problems: readonly Where[] = []): ApiRefusal =>
  new ApiRefusal('SLUICE_API_REQUEST', 400, message, { problems });

export const unprocessable = (problems: readonly Where[]): ApiRefusal =>
  new ApiRefusal('SLUICE_API_REQUEST', 422, 'the body is not what this asks for', { problems });

export const overloaded = (message: string, retryAfterMs = 1_000): ApiRefusal =>
  new ApiRefusal('SLUICE_API_OVERLOADED', 429, message, { retryAfterMs });

export const notTheSame = (): ApiRefusal =>
  new ApiRefusal('SLUICE_API_PRECONDITION', 412, 'the flag is not the one that If-Match names');

export interface Failure {
  readonly status: number;
  readonly form: Omit<FailureForm, 'requestId'>;
  readonly headers: Readonly<Record<string, string>>;
  /** Nobody has foreseen it: it belongs into the log. */
  readonly isBug: boolean;
}

/** How any error is answered. What the API server said goes on with its status and its words. */
export function failureOf(error: unknown): Failure {
  if (error instanceof KubeError) return kubeFailure(error);
  const known = error instanceof ApiRefusal ? error : refusalOf(error);
  if (!known) return failure(500, 'SLUICE_INTERNAL', 'the request failed', { isBug: true });
  return failure(known.status, known.code, plain(known), known);
}

interface Details {
  readonly problems?: readonly Where[];
  readonly retryAfterMs?: number | undefined;
  readonly isBug?: boolean;
}

function failure(status: number, code: Code, message: string, details: Details = {}): Failure {
  const { problems = [], retryAfterMs, isBug = false } = details;
  const waitSeconds = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000));
  const headers = {
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...((status === 429 || status === 503) && { 'retry-after': String(waitSeconds) }),
  };
  const { fix } = codes[code];
  const form = { code, message, fix, ...(problems.length > 0 && { problems: [...problems] }) };
  return { status, form, headers, isBug };
}

function kubeFailure(error: KubeError): Failure {
  const { httpStatus, code, retryAfterMs } = error;
  if (httpStatus === 401) return failure(401, 'SLUICE_API_TOKEN', 'the API server does not accept the token');
  const problems = error.causes.map(({ field = '', message = '' }) => ({ path: field, message }));
  return failure(statusOf(httpStatus, code), code, plain(error), { problems, retryAfterMs });
}

/** A failure of the API server is none of ours, but one of what stands behind us. */
function statusOf(httpStatus: number, code: Code): number {
  if (code === 'SLUICE_KUBE_DEADLINE') return 504;
  if (httpStatus >= 400 && httpStatus < 500) return httpStatus;
  return httpStatus === 503 || httpStatus === 504 ? httpStatus : 502;
}

/** What fastify refuses before a handler. */
function refusalOf(error: unknown): ApiRefusal | undefined {
  if (error instanceof DeadlinePassed) return new ApiRefusal('SLUICE_KUBE_DEADLINE', 504, error.message);
  const { code, statusCode } = (error ?? {}) as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge();
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new ApiRefusal('SLUICE_API_REQUEST', 415, 'the content type is not one that this takes');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return invalid((error as Error).message);
  return undefined;
}

const tooLarge = (): ApiRefusal => new ApiRefusal('SLUICE_API_TOO_LARGE', 413, 'the body is larger than 1 MiB');

/** Without the code in front, which stands beside it. */
const plain = ({ code, message }: SluiceError): string => message.replace(`${code}: `, '');

/** A write that was bound to a version met another one. */
export const asPrecondition = (error: unknown): unknown => (isConflict(error) ? notTheSame() : error);
