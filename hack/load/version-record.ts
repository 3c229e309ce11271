import type { EpochMs } from '../../src/base/units.ts';
import { type Counts, countUp } from './counts.ts';
import { Histogram } from './histogram.ts';
import type { VersionReport } from './report.ts';

interface Answer {
  readonly status: number;
  readonly latencyMs: number;
  readonly isAppError: boolean;
  readonly at: EpochMs;
}

/** What one version of the app answered, and to whom. */
export class VersionRecord {
  readonly #firstAnsweredAt: EpochMs;
  readonly #users = new Set<string>();
  readonly #usersWithErrors = new Set<string>();
  readonly #byStatus: Counts = {};
  readonly #latency = new Histogram();
  #answered = 0;
  #appErrors = 0;
  #lastSentAt: EpochMs;
  #lastAnsweredAt: EpochMs;

  constructor(firstAnsweredAt: EpochMs) {
    this.#firstAnsweredAt = firstAnsweredAt;
    this.#lastAnsweredAt = firstAnsweredAt;
    this.#lastSentAt = 0 as EpochMs;
  }

  get last(): { sentAt: EpochMs; answeredAt: EpochMs } {
    return { sentAt: this.#lastSentAt, answeredAt: this.#lastAnsweredAt };
  }

  answered({ user, sentAt }: { user: string; sentAt: EpochMs }, { status, latencyMs, isAppError, at }: Answer): void {
    this.#answered += 1;
    this.#users.add(user);
    countUp(this.#byStatus, status);
    this.#latency.add(latencyMs);
    if (isAppError) {
      this.#appErrors += 1;
      this.#usersWithErrors.add(user);
    }
    // A slow answer may come after that of a younger request.
    if (sentAt > this.#lastSentAt) this.#lastSentAt = sentAt;
    if (at > this.#lastAnsweredAt) this.#lastAnsweredAt = at;
  }

  report(allUsers: number): VersionReport {
    return {
      answered: this.#answered,
      appErrors: this.#appErrors,
      byStatus: { ...this.#byStatus },
      latencyMs: this.#latency.percentiles(),
      users: this.#users.size,
      usersWithErrors: this.#usersWithErrors.size,
      shareOfUsersWithErrors: this.#usersWithErrors.size / allUsers,
      firstAnsweredAt: wholeMs(this.#firstAnsweredAt),
      lastAnsweredAt: wholeMs(this.#lastAnsweredAt),
      lastSentAt: wholeMs(this.#lastSentAt),
    };
  }
}

/** Times are kept with fractions for the latencies and reported without. */
export const wholeMs = (at: EpochMs) => Math.round(at) as EpochMs;
