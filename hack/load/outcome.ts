/** Kinds of virtual clients. */
export const clientKinds = ['keep-alive', 'post', 'http2', 'short'] as const;
export type ClientKind = (typeof clientKinds)[number];

/**
 * Why a request counts as lost (docs/decisions/0080):
 * - `noConnection`: none could be opened;
 * - `closed`: a new connection was closed or reset before the answer began;
 * - `reusedConnectionClosed`: the same on a connection that had served before, which may have been closed before the
 *   request reached anyone; HTTP lets a client retry some of those, this one never does;
 * - `refusedStream`: HTTP/2 said that it did not process the request;
 * - `cutShort`: the answer began and did not end;
 * - `timeout`: no whole answer in time;
 * - `gateway`: a 5xx without the mark of the app.
 */
export type LossKind =
  | 'noConnection'
  | 'closed'
  | 'reusedConnectionClosed'
  | 'refusedStream'
  | 'cutShort'
  | 'timeout'
  | 'gateway';

/** How an attempt ended, as its client saw it. */
export type Outcome =
  /** A whole answer; `version` is the mark of the app. */
  | { readonly kind: 'answer'; readonly status: number; readonly version: string | undefined }
  | {
      readonly kind: 'failure';
      readonly loss: Exclude<LossKind, 'gateway'>;
      readonly code: string;
      readonly status?: number;
    }
  /** The generator gave the request up because it was told to end. */
  | { readonly kind: 'abandoned' };

/** The loss that this outcome is, or undefined where it is none. */
export function lossOf(outcome: Outcome): LossKind | undefined {
  if (outcome.kind === 'failure') return outcome.loss;
  if (outcome.kind === 'answer' && outcome.status >= 500 && outcome.version === undefined) return 'gateway';
  return undefined;
}
