import { type Code, SluiceError } from '../base/errors.ts';
import type { DurationMs } from '../base/units.ts';

/** One entry of `Status.details.causes`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** What the API server answers instead of an object (meta/v1 `Status`). */
export interface Status {
  readonly kind?: 'Status';
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfterSeconds?: number;
  };
}

export interface KubeErrorFacts {
  /** For example `PATCH /apis/apps/v1/namespaces/shop/deployments/catalog`. */
  readonly call: string;
  /** HTTP status; 0 when no answer came. */
  readonly httpStatus: number;
  readonly status?: Status | undefined;
  readonly retryAfterMs?: DurationMs | undefined;
  readonly cause?: unknown;
}

/** A failed call to the API server. Branch on `code` or `reason`, never on the message. */
export class KubeError extends SluiceError {
  readonly httpStatus: number;
  /** The server's reason, such as `AlreadyExists`, `Conflict`, `Invalid`; '' when it gave none. */
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  /** Whether the server speaks of a named object; a 404 that does not means that the resource type is not installed. */
  readonly aboutObject: boolean;
  /** How long the server asked us to wait, if it did. */
  readonly retryAfterMs: DurationMs | undefined;

  constructor(code: Code, message: string, { call, httpStatus, status, retryAfterMs, cause }: KubeErrorFacts) {
    super(code, `${call}: ${message}`, { call, httpStatus }, cause);
    this.httpStatus = httpStatus;
    this.reason = status?.reason ?? '';
    this.causes = status?.details?.causes ?? [];
    this.aboutObject = Boolean(status?.details?.name);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The object changed, or is another one, since it was read: read again and decide anew. */
export const isConflict = (error: unknown): error is KubeError =>
  error instanceof KubeError && error.code === 'SLUICE_KUBE_CONFLICT' && error.reason !== 'AlreadyExists';

/** A `test` operation of a JSON patch did not hold, or a path that it names is not there. */
export const isPatchTestFailed = (error: unknown): error is KubeError =>
  error instanceof KubeError && error.code === 'SLUICE_KUBE_PATCH_TEST';

export const isNotFound = (error: unknown): error is KubeError =>
  error instanceof KubeError && error.code === 'SLUICE_KUBE_NOT_FOUND';

/** A create met an object of that name. */
export const isAlreadyExists = (error: unknown): error is KubeError =>
  error instanceof KubeError && error.reason === 'AlreadyExists';

/** A rule of the cluster or of the object's type stands against it: an admission policy, missing rights, validation. */
export const isRefused = (error: unknown): error is KubeError =>
  error instanceof KubeError && (error.code === 'SLUICE_KUBE_REFUSED' || error.httpStatus === 403);
