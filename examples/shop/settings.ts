import { hostname } from 'node:os';

/** What the environment of the container says. Times in milliseconds. */
export interface ShopSettings {
  /** Sent with every answer as `x-shop-version`. */
  readonly version: string;
  /** Sent with every answer as `x-shop-pod`. */
  readonly pod: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Share of shop requests that are answered with 500, 0..1. */
  readonly errorRate: number;
  /** Errors show only while this pod gets more requests a second than this: a fault that a small share of traffic hides. */
  readonly errorAboveRps: number;
  /** Median time to an answer; the 99th percentile is three times as long. */
  readonly latencyMs: number;
  /** Processor time that each shop request takes. */
  readonly cpuMs: number;
  /** Time from the start until `/readyz` answers 200; `never` for a version that does not come up. */
  readonly readyAfterMs: number | 'never';
  /** Time from the start until the process exits with 1. */
  readonly crashAfterMs: number | undefined;
  /** Where flags are evaluated: a base URL of OFREP; undefined where nobody does. */
  readonly flags: string | undefined;
  /** Time from SIGTERM to the end of listening, in which all is served and connections are closed politely. */
  readonly drainMs: number;
}

const DAY_MS = 86_400_000;

/** Throws with the name of the variable and what it may be. */
export function readSettings(env: NodeJS.ProcessEnv): ShopSettings {
  const number = (name: string, fallback: number, max: number): number => {
    const text = env[name] ?? '';
    const value = text === '' ? fallback : Number(text);
    if (value >= 0 && value <= max) return value;
    throw new Error(`${name} must be a number from 0 to ${max}, not ${JSON.stringify(text)}`);
  };
  return {
    version: env.VERSION || 'dev',
    pod: env.POD_NAME || hostname(),
    port: number('PORT', 8080, 65_535),
    errorRate: number('ERROR_RATE', 0, 1),
    errorAboveRps: number('ERROR_ABOVE_RPS', 0, 1_000_000),
    latencyMs: number('LATENCY_MS', 0, 60_000),
    cpuMs: number('CPU_MS', 0, 1_000),
    readyAfterMs: env.READY_AFTER_MS === 'never' ? 'never' : number('READY_AFTER_MS', 0, DAY_MS),
    crashAfterMs: env.CRASH_AFTER_MS ? number('CRASH_AFTER_MS', 0, DAY_MS) : undefined,
    flags: env.OFREP_ENDPOINT || undefined,
    drainMs: number('DRAIN_MS', 5_000, 600_000),
  };
}
