import { Counter, Histogram, Registry } from 'prom-client';

const METHODS = ['GET', 'POST'] as const;
const CODES = ['200', '500'] as const;
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10];

export interface ShopMetrics {
  /** Counts one answer; `seconds` from the request's headers to the answer. */
  observe(method: string, code: number, seconds: number): void;
  /** The text that Prometheus scrapes. */
  text(): Promise<string>;
}

/** Only shop traffic is counted: probes and scrapes would water down the error ratio of a canary with little traffic. */
export function shopMetrics(): ShopMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answers of the shop, by status code and method.',
    labelNames: ['code', 'method'],
    registers,
  });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request headers to answer.',
    buckets: BUCKETS_S,
    registers,
  });
  // A counter that first appears with its first error hides that error from rate(): it needs the 0 before.
  for (const method of METHODS) for (const code of CODES) requests.inc({ method, code }, 0);
  return {
    observe: (method, code, seconds) => {
      const known = METHODS.find((name) => name === method) ?? 'other';
      requests.inc({ method: known, code: String(code) });
      duration.observe(seconds);
    },
    text: () => registry.metrics(),
  };
}
