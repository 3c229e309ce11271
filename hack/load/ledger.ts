import type { EpochMs } from '../../src/base/units.ts';
import { type Counts, countUp } from './counts.ts';
import { Histogram } from './histogram.ts';
import { type ClientKind, type LossKind, lossOf, type Outcome } from './outcome.ts';
import type { ClientReport, LoadReport, Loss, SecondReport } from './report.ts';
import { Second } from './second.ts';
import { VersionRecord, wholeMs } from './version-record.ts';

/** One request, from the moment it was sent. */
export interface Attempt {
  readonly client: ClientKind;
  readonly user: string;
  /** When the schedule wanted it sent; latency counts from here. */
  readonly dueAt: EpochMs;
  readonly sentAt: EpochMs;
}

const LISTED_LOSSES = 1_000;
const LISTED_SECONDS = 3_600;
/** Version names come from the other side: more of them, or longer ones, are counted together. */
const LISTED_VERSIONS = 32;
const UNMARKED = '(unmarked)';
const OTHERS = '(others)';

/** Who sent what and what became of it, in memory that does not grow with time. It has no clock: callers say when. */
export class Ledger {
  readonly #startedAt: EpochMs;
  readonly #onSecond: (second: SecondReport) => void;
  readonly #users = new Set<string>();
  readonly #byStatus: Counts = {};
  readonly #lostByKind: Counts<LossKind> = {};
  readonly #clients = new Map<ClientKind, { sent: number; answered: number; lost: number; latency: Histogram }>();
  readonly #versions = new Map<string, VersionRecord>();
  readonly #latency = new Histogram();
  readonly #losses: Loss[] = [];
  readonly #seconds: SecondReport[] = [];
  #second: Second;
  #sent = 0;
  #answered = 0;
  #lost = 0;
  #abandoned = 0;
  #worstLatenessMs = 0;

  constructor(startedAt: EpochMs, onSecond: (second: SecondReport) => void = () => {}) {
    this.#startedAt = startedAt;
    this.#onSecond = onSecond;
    this.#second = new Second(wholeSecond(startedAt));
  }

  sent(attempt: Attempt): void {
    this.tick(attempt.sentAt);
    this.#sent += 1;
    this.#second.sent();
    this.#client(attempt.client).sent += 1;
    this.#users.add(attempt.user);
    this.#worstLatenessMs = Math.max(this.#worstLatenessMs, attempt.sentAt - attempt.dueAt);
  }

  ended(attempt: Attempt, outcome: Outcome, at: EpochMs): void {
    this.tick(at);
    if (outcome.kind === 'abandoned') {
      this.#abandoned += 1;
      return;
    }
    if (outcome.status !== undefined) countUp(this.#byStatus, outcome.status);
    const loss = lossOf(outcome);
    if (loss !== undefined) this.#recordLoss(attempt, outcome, loss, at);
    else if (outcome.kind === 'answer') this.#recordAnswer(attempt, outcome.status, outcome.version, at);
  }

  /** Closes the running second when it is over. */
  tick(now: EpochMs): void {
    if (now < this.#second.at + 1000) return;
    const report = this.#second.report();
    this.#seconds.push(report);
    if (this.#seconds.length > LISTED_SECONDS) this.#seconds.shift();
    this.#second = new Second(wholeSecond(now));
    this.#onSecond(report);
  }

  /** When the last request that `version` answered after `after` was sent and answered, or undefined if there is none. */
  lastSeen(version: string, after: EpochMs): { sentAt: EpochMs; answeredAt: EpochMs } | undefined {
    const last = this.#versions.get(version)?.last;
    return last !== undefined && last.answeredAt > after ? last : undefined;
  }

  report(now: EpochMs): LoadReport {
    return {
      startedAt: wholeMs(this.#startedAt),
      endedAt: wholeMs(now),
      sent: this.#sent,
      answered: this.#answered,
      lost: this.#lost,
      abandoned: this.#abandoned,
      inFlight: this.#sent - this.#answered - this.#lost - this.#abandoned,
      users: this.#users.size,
      byStatus: { ...this.#byStatus },
      lostByKind: { ...this.#lostByKind },
      byClient: Object.fromEntries([...this.#clients].map(([kind, client]) => [kind, clientReport(client)])),
      byVersion: Object.fromEntries([...this.#versions].map(([name, v]) => [name, v.report(this.#users.size)])),
      latencyMs: this.#latency.percentiles(),
      losses: [...this.#losses],
      seconds: [...this.#seconds, this.#second.report()],
      worstLatenessMs: Math.round(this.#worstLatenessMs),
    };
  }

  #recordAnswer(attempt: Attempt, status: number, mark: string | undefined, at: EpochMs): void {
    const latencyMs = at - attempt.dueAt;
    const isAppError = status >= 500;
    const name = this.#versionName(mark);
    this.#answered += 1;
    const client = this.#client(attempt.client);
    client.answered += 1;
    client.latency.add(latencyMs);
    this.#latency.add(latencyMs);
    this.#second.answered(name, status, latencyMs, isAppError);
    const version = this.#versions.get(name) ?? new VersionRecord(at);
    this.#versions.set(name, version);
    version.answered(attempt, { status, latencyMs, isAppError, at });
  }

  #recordLoss(attempt: Attempt, outcome: Exclude<Outcome, { kind: 'abandoned' }>, kind: LossKind, at: EpochMs): void {
    this.#lost += 1;
    this.#client(attempt.client).lost += 1;
    this.#second.lost(outcome.status);
    countUp(this.#lostByKind, kind);
    if (this.#losses.length === LISTED_LOSSES) return;
    const { client, user, sentAt } = attempt;
    const status = outcome.status === undefined ? {} : { status: outcome.status };
    const code = outcome.kind === 'failure' ? { code: outcome.code } : {};
    this.#losses.push({ sentAt: wholeMs(sentAt), noticedAt: wholeMs(at), client, user, kind, ...status, ...code });
  }

  #versionName(mark: string | undefined): string {
    const name = mark === undefined ? UNMARKED : mark.slice(0, 64);
    return this.#versions.has(name) || this.#versions.size < LISTED_VERSIONS ? name : OTHERS;
  }

  #client(kind: ClientKind) {
    const client = this.#clients.get(kind) ?? { sent: 0, answered: 0, lost: 0, latency: new Histogram() };
    this.#clients.set(kind, client);
    return client;
  }
}

const wholeSecond = (at: EpochMs) => (Math.floor(at / 1000) * 1000) as EpochMs;

function clientReport(client: { sent: number; answered: number; lost: number; latency: Histogram }): ClientReport {
  const { latency, ...counts } = client;
  return { ...counts, latencyMs: latency.percentiles() };
}
