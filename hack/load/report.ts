import type { EpochMs } from '../../src/base/units.ts';
import type { Counts } from './counts.ts';
import type { Percentiles } from './histogram.ts';
import type { ClientKind, LossKind } from './outcome.ts';

/** One lost request. */
export interface Loss {
  readonly sentAt: EpochMs;
  readonly noticedAt: EpochMs;
  readonly client: ClientKind;
  readonly user: string;
  readonly kind: LossKind;
  /** Of the answer, where one had begun. */
  readonly status?: number;
  /** Of the error, such as ECONNRESET. */
  readonly code?: string;
}

/** `sent` by the time of sending, everything else by the time at which it was known. */
export interface SecondReport {
  /** Its beginning. */
  readonly at: EpochMs;
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  readonly byStatus: Readonly<Counts>;
  readonly byVersion: Readonly<Record<string, { readonly answered: number; readonly appErrors: number }>>;
  readonly latencyMs: Percentiles;
}

export interface VersionReport {
  readonly answered: number;
  /** Answers with a status of 500 or more that the app made itself. */
  readonly appErrors: number;
  readonly byStatus: Readonly<Counts>;
  readonly latencyMs: Percentiles;
  /** Users whom it answered at least once, and those to whom it answered an app error. */
  readonly users: number;
  readonly usersWithErrors: number;
  /** `usersWithErrors` of all users who sent anything, 0..1. */
  readonly shareOfUsersWithErrors: number;
  readonly firstAnsweredAt: EpochMs;
  readonly lastAnsweredAt: EpochMs;
  /** When the youngest request that it answered was sent: it was routed there no earlier than this. */
  readonly lastSentAt: EpochMs;
}

export interface ClientReport {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  readonly latencyMs: Percentiles;
}

/** sent = answered + lost + abandoned + inFlight. */
export interface LoadReport {
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** Given up because the generator was aborted; not judged. */
  readonly abandoned: number;
  readonly inFlight: number;
  readonly users: number;
  /** All statuses that came back, those of lost requests included. */
  readonly byStatus: Readonly<Counts>;
  readonly lostByKind: Readonly<Counts<LossKind>>;
  readonly byClient: Readonly<Partial<Record<ClientKind, ClientReport>>>;
  /** By `x-shop-version`; answers below 500 that something on the way made stand under `(unmarked)`. */
  readonly byVersion: Readonly<Record<string, VersionReport>>;
  /** From the time at which the request was due, so a late generator or a queue shows as latency. */
  readonly latencyMs: Percentiles;
  /** The first 1,000. */
  readonly losses: readonly Loss[];
  /** The last hour. */
  readonly seconds: readonly SecondReport[];
  /** How late the generator itself was at worst: latencies above are not to be trusted below this. */
  readonly worstLatenessMs: number;
}
