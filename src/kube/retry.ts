import { type BackoffLimits, backoffMs } from '../base/backoff.ts';
import type { Random } from '../base/random.ts';
import type { DurationMs } from '../base/units.ts';

const MAX_TRIES = 6;
const ORDINARY: BackoffLimits = { firstMs: 50, maxMs: 2_000 };
const SAFETY: BackoffLimits = { firstMs: 5, maxMs: 200 };

/** How one try of a call failed. */
export interface Failure {
  /** HTTP status; 0 when no complete answer came. */
  readonly httpStatus: number;
  readonly reason: string;
  /** False when the server certainly never saw the request. */
  readonly maybeSent: boolean;
  readonly retryAfterMs: DurationMs | undefined;
}

export interface Attempt {
  /** 1 = the first try. */
  readonly attempt: number;
  /** Whether sending the request a second time leaves the same result. */
  readonly repeatable: boolean;
  readonly safety: boolean;
}

/**
 * How long to wait before the call is tried again, or `undefined` when it must not be. A wait that the server asked for is
 * kept, and jitter comes on top so that refused clients do not return together. A 401 is tried once more, with credentials
 * read anew, because tokens and certificates rotate.
 */
export function repeatAfter(failure: Failure, { attempt, repeatable, safety }: Attempt, random: Random) {
  const renewed = failure.httpStatus === 401 && attempt === 1;
  if (attempt >= MAX_TRIES || !(renewed || mayRepeat(failure, repeatable))) return undefined;
  const jitterMs = backoffMs(attempt, safety ? SAFETY : ORDINARY, random);
  return ((failure.retryAfterMs ?? 0) + jitterMs) as DurationMs;
}

function mayRepeat({ httpStatus, reason, maybeSent }: Failure, repeatable: boolean): boolean {
  if (httpStatus === 0) return repeatable || !maybeSent;
  // 429 comes from flow control, before the request is looked at.
  if (httpStatus === 429) return true;
  // A gateway in between may answer 502 to 504 for a request that went through.
  return repeatable && ([502, 503, 504].includes(httpStatus) || reason === 'ServerTimeout');
}

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether the server may have seen a request that failed with this error of undici or of the system. */
export const maybeSent = (error: unknown): boolean => !NEVER_SENT.has((error as { code?: string })?.code ?? '');
