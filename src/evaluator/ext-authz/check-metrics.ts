import { Counter, Histogram, type Registry } from 'prom-client';
import type { Decision } from './route-request.ts';

/** What the gateway's checks came to. Labels are closed sets: nothing that a request says is one. */
export class CheckMetrics {
  readonly #checks: Counter<'variant' | 'reason'>;
  readonly #seconds: Histogram;
  readonly #minted: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#checks = new Counter({
      name: 'sluice_gateway_checks_total',
      help: 'Requests that the gateway asked about, by the variant that they were sent to, and why.',
      labelNames: ['variant', 'reason'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'sluice_gateway_check_seconds',
      help: 'From the first bytes of a check to its answer, in this process.',
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    });
    this.#minted = new Counter({
      name: 'sluice_unit_cookies_total',
      help: 'Cookies given to browsers that had none.',
      registers,
    });
  }

  answered({ variant, reason, setCookie }: Decision, seconds: number): void {
    this.#checks.inc({ variant, reason });
    this.#seconds.observe(seconds);
    if (setCookie !== undefined) this.#minted.inc();
  }
}
