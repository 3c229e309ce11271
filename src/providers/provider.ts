import type { DurationMs, EpochMs } from '../base/units.ts';

/** One question to a metric provider. Two requests with equal `text`, `at` and `timeoutMs` are the same question. */
export interface MetricRequest {
  /** The rendered query, in the provider's own language. */
  readonly text: string;
  /** The instant that the query is evaluated for: the phase instant of the poll, so that equal queries coincide. */
  readonly at: EpochMs;
  /** Covers everything: waiting for a free place, connecting, asking, and reading the answer to its end. */
  readonly timeoutMs: DurationMs;
  /** On whose behalf, such as `shop/catalog`. Places are shared out fairly between owners. */
  readonly owner: string;
}

/** Why a provider gave no usable answer. None of these says anything about the canary. */
export type DownCause =
  | 'Busy' // our own limit of concurrent queries: the deadline passed before this one was sent
  | 'Closed' // the provider was closed, for its configuration changed or the process stops
  | 'Http4xx' // a client error with no meaning of its own below
  | 'Http422' // the query was understood but could not be executed
  | 'Http5xx'
  | 'Malformed' // not an answer of this protocol: a login page, cut or invalid JSON, an unknown shape
  | 'NotFound' // 404: most often a wrong path in the address
  | 'RateLimited' // 429
  | 'Redirect' // never followed: credentials must not reach another origin
  | 'Refused' // nobody listens there
  | 'Reset' // the connection broke off
  | 'Timeout' // our deadline, or the provider's own
  | 'Tls' // wrong or expired certificate, wrong name, no common protocol, client certificate refused
  | 'TooLarge' // more than the size bound
  | 'Unauthorized' // 401 or 403
  | 'Unreachable' // no route to the host
  | 'Unresolved'; // the name has no address

/** What the provider remarked beside the result; bounded in number and length. A warning can mean that data are missing. */
export interface Remarks {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** What was observed. It says nothing about bounds: the verdict is made in core/guardrails. */
export type Answer =
  | { readonly kind: 'Value'; readonly value: number; readonly at: EpochMs; readonly remarks: Remarks }
  | { readonly kind: 'Empty'; readonly remarks: Remarks }
  | { readonly kind: 'NotANumber'; readonly text: 'NaN' | '+Inf' | '-Inf'; readonly remarks: Remarks }
  | { readonly kind: 'SeveralSeries'; readonly count: number; readonly message: string; readonly remarks: Remarks }
  /** A mistake in the query itself: it does not parse, or its result is of a kind that can never be one number. */
  | { readonly kind: 'BadQuery'; readonly message: string }
  | ProviderDown;

export interface ProviderDown {
  readonly kind: 'ProviderDown';
  readonly cause: DownCause;
  /** One bounded sentence for a person; holds no credential. */
  readonly message: string;
}

/** The port. `query` rejects only with the reason of `signal`, when the caller itself gave up; all else is an answer. */
export interface MetricProvider {
  query(request: MetricRequest, signal: AbortSignal): Promise<Answer>;
}

export const providerDown = (cause: DownCause, message: string): ProviderDown => ({
  kind: 'ProviderDown',
  cause,
  message,
});
