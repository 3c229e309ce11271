import type { EpochMs } from '../../src/base/units.ts';
import { type Counts, countUp } from './counts.ts';
import { Histogram } from './histogram.ts';
import type { SecondReport } from './report.ts';

/** The second that is running. */
export class Second {
  readonly at: EpochMs;
  readonly #byStatus: Counts = {};
  readonly #byVersion = new Map<string, { answered: number; appErrors: number }>();
  readonly #latency = new Histogram();
  #sent = 0;
  #answered = 0;
  #lost = 0;

  constructor(at: EpochMs) {
    this.at = at;
  }

  sent(): void {
    this.#sent += 1;
  }

  answered(version: string, status: number, latencyMs: number, isAppError: boolean): void {
    this.#answered += 1;
    countUp(this.#byStatus, status);
    this.#latency.add(latencyMs);
    const counts = this.#byVersion.get(version) ?? { answered: 0, appErrors: 0 };
    this.#byVersion.set(version, counts);
    counts.answered += 1;
    if (isAppError) counts.appErrors += 1;
  }

  lost(status: number | undefined): void {
    this.#lost += 1;
    if (status !== undefined) countUp(this.#byStatus, status);
  }

  report(): SecondReport {
    return {
      at: this.at,
      sent: this.#sent,
      answered: this.#answered,
      lost: this.#lost,
      byStatus: { ...this.#byStatus },
      byVersion: Object.fromEntries([...this.#byVersion].map(([version, counts]) => [version, { ...counts }])),
      latencyMs: this.#latency.percentiles(),
    };
  }
}
