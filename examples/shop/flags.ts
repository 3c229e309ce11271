/** What an application knows of one flag. */
export interface FlagAnswer {
  /** The default of this code, `null`, where the evaluator had no answer. */
  readonly value: unknown;
  readonly variant?: string | undefined;
  /** Why; `ERROR` with the default. */
  readonly reason: string;
  /** Ruleset that answered. */
  readonly revision?: string | undefined;
  /** There may be a newer ruleset. */
  readonly stale: boolean;
}

const PATIENCE_MS = 2_000;
const none: FlagAnswer = { value: null, reason: 'ERROR', stale: false };

/** Asks the evaluator beside us over OFREP, as SDKs do, for one user. Never fails: flags must not break a shop. */
export async function flagOf(endpoint: string, key: string, user: string): Promise<FlagAnswer> {
  try {
    const response = await fetch(`${endpoint}/ofrep/v1/evaluate/flags/${encodeURIComponent(key)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ context: { targetingKey: user } }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!response.ok) return none;
    const { value = null, variant, reason = 'UNKNOWN', metadata = {} } = (await response.json()) as Answered;
    return { value, variant, reason, revision: metadata.version, stale: metadata.stale === true };
  } catch {
    return none;
  }
}

interface Answered {
  readonly value?: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly metadata?: { readonly version?: string; readonly stale?: boolean };
}
