import { type Clock, sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { CallOptions } from './client.ts';
import { DeadlinePassed, withDeadline } from './deadline.ts';
import { KubeError } from './kube-error.ts';
import { reasonOf } from './reason.ts';
import { errorOfAnswer, readText } from './response.ts';
import { maybeSent, repeatAfter } from './retry.ts';
import type { SafetyPace } from './safety-pace.ts';
import type { HttpRequest, Sender } from './transport.ts';

const DEADLINE_MS = 10_000;
/** A page of 500 large objects stays well below it. */
const MAX_ANSWER_BYTES = 128 * 2 ** 20;
const MAX_ERROR_BYTES = 2 ** 20;

export interface CallPorts {
  readonly transport: Sender;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly pace: SafetyPace;
  /** Of one answer; default 128 MiB. Beyond it: SLUICE_KUBE_TOO_LARGE. */
  readonly maxAnswerBytes?: number | undefined;
  /** Told of every try: `httpStatus` is 0 where no complete head of an answer came. */
  readonly onTry?: ((call: Pick<HttpRequest, 'method' | 'path'>, httpStatus: number) => void) | undefined;
}

/** One call with its repetitions (retry.ts) within its deadline; answers the body of a 2xx response as text. */
export function callText(
  ports: CallPorts,
  request: HttpRequest,
  repeatable: boolean,
  options: CallOptions,
): Promise<string> {
  const call = describeCall(request);
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const endsAtMs = ports.clock.now() + deadlineMs;
  const safety = options.priority === 'safety';
  return withDeadline(ports.clock, options.signal, deadlineMs, async (signal) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await tryOnce(ports, request, call, safety, signal);
      } catch (error) {
        if (signal.aborted) throw endOf(call, signal.reason, error);
        if (!(error instanceof FailedTry)) throw error;
        const waitMs = repeatAfter(error, { attempt, repeatable, safety }, ports.random);
        // A wait beyond the deadline helps nobody: the caller learns at once, with `retryAfterMs`.
        if (waitMs === undefined || ports.clock.now() + waitMs >= endsAtMs) throw error.coded;
        ports.logger.debug({ call, attempt, waitMs, code: error.coded.code }, 'repeating a call to the API server');
        await sleep(ports.clock, waitMs, signal).catch((reason) => {
          throw endOf(call, reason, error.coded);
        });
      }
    }
  });
}

export const describeCall = ({ method, path }: Pick<HttpRequest, 'method' | 'path'>): string => `${method} ${path}`;

/** What one try failed with: the coded error, and what the decision to repeat needs. */
class FailedTry extends Error {
  readonly coded: KubeError;
  readonly maybeSent: boolean;

  constructor(coded: KubeError, sent: boolean) {
    super(coded.message);
    this.coded = coded;
    this.maybeSent = sent;
  }

  get httpStatus() {
    return this.coded.httpStatus;
  }

  get reason() {
    return this.coded.reason;
  }

  get retryAfterMs() {
    return this.coded.retryAfterMs;
  }
}

/** One try of an ordinary call has all of its deadline. */
async function tryOnce(ports: CallPorts, request: HttpRequest, call: string, safety: boolean, signal: AbortSignal) {
  const { clock, pace } = ports;
  const beganAt = clock.now();
  let httpStatus = 0;
  const exchange = async (trySignal: AbortSignal) => {
    const response = await ports.transport.send(safety ? 'safety' : 'ordinary', request, trySignal);
    httpStatus = response.statusCode;
    if (safety) pace.answered(clock.now() - beganAt);
    const good = httpStatus < 300;
    const maxBytes = good ? (ports.maxAnswerBytes ?? MAX_ANSWER_BYTES) : MAX_ERROR_BYTES;
    const text = await readText(response.body, maxBytes, call);
    if (good) return text;
    const retryAfter = String(response.headers['retry-after'] ?? '') || undefined;
    const coded = errorOfAnswer(call, { httpStatus, text, retryAfter }, clock.now());
    if (httpStatus === 401 && !ports.transport.distrustCredentials()) throw coded;
    throw new FailedTry(coded, true);
  };
  try {
    return await (safety ? withDeadline(clock, signal, pace.tryMs, exchange) : exchange(signal));
  } catch (error) {
    if (error instanceof FailedTry || (error as Partial<KubeError>)?.code?.startsWith('SLUICE_')) throw error;
    // The deadline of the whole call says nothing of one try, nor does an ordinary one.
    if (safety && !signal.aborted && error instanceof DeadlinePassed) pace.cut();
    throw new FailedTry(brokenConnection(call, error), maybeSent(error));
  } finally {
    ports.onTry?.(request, httpStatus);
  }
}

/** The coded error for a call that got no complete answer. */
export const brokenConnection = (call: string, cause: unknown): KubeError =>
  new KubeError('SLUICE_KUBE_UNAVAILABLE', `no answer (${reasonOf(cause)})`, {
    call,
    httpStatus: 0,
    cause,
  });

/** The caller's own reason as it is; our deadline as a coded error that keeps what went wrong last. */
function endOf(call: string, reason: unknown, last: unknown): unknown {
  if (!(reason instanceof DeadlinePassed)) return reason;
  const cause = last instanceof FailedTry ? last.coded : last;
  const why = cause instanceof KubeError ? `: ${reasonOf(cause.cause ?? cause)}` : '';
  return new KubeError('SLUICE_KUBE_DEADLINE', `${reason.message}${why}`, { call, httpStatus: 0, cause });
}
