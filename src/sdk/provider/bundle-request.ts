import type { Clock } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import { LIMITS } from '../../wire/limits.ts';
import { boundedBody } from '../bounded-body.ts';

/** Where bundles come from. */
export interface BundleTarget {
  /** Base URL of the evaluator, without a slash at the end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/** An answer of `GET /config-bundle`. `isBehind`: the evaluator itself does not know whether there is a newer one. */
export type BundleAnswer =
  | { readonly kind: 'Same'; readonly isBehind: boolean }
  | {
      readonly kind: 'Other';
      readonly document: unknown;
      readonly tag: string | undefined;
      readonly isBehind: boolean;
    };

const DEADLINE_MS = 10_000;
/** Text of a ruleset, in bytes of UTF-8, and its seal. */
const MAX_BYTES = 2 * LIMITS.rulesetChars;

/** Asks for the bundle unless it is the one with this tag. Throws SLUICE_SDK_DENIED, SLUICE_SDK_NO_RULESET. */
export async function requestBundle(
  { url, headers, fetch, clock }: BundleTarget,
  tag: string | undefined,
  outer: AbortSignal,
): Promise<BundleAnswer> {
  const stop = new AbortController();
  const cancel = clock.after(DEADLINE_MS, () => stop.abort(new Error(`no answer within ${DEADLINE_MS} ms`)));
  try {
    const response = await fetch(`${url}/config-bundle`, {
      headers: { ...headers, ...(tag !== undefined && { 'if-none-match': tag }) },
      redirect: 'error', // headers may hold a key, which is for this evaluator only
      signal: AbortSignal.any([outer, stop.signal]),
    });
    const text = await boundedBody(response, MAX_BYTES);
    return answerOf(response, text);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const why = cause instanceof Error ? ((cause.cause as Error | undefined)?.message ?? cause.message) : String(cause);
    throw new SluiceError('SLUICE_SDK_NO_RULESET', `${url}: ${why}`, {}, cause);
  } finally {
    cancel();
  }
}

function answerOf({ status, headers, url }: Response, text: string): BundleAnswer {
  const isBehind = headers.get('sluice-stale') === 'true';
  if (status === 304) return { kind: 'Same', isBehind };
  if (status === 200) {
    return { kind: 'Other', document: documentIn(text), tag: headers.get('etag') ?? undefined, isBehind };
  }
  const code = status === 401 || status === 403 ? 'SLUICE_SDK_DENIED' : 'SLUICE_SDK_NO_RULESET';
  throw new SluiceError(code, `${url} answered ${status}`);
}

/** Undefined for what is no JSON; `openRuleset` refuses that. */
function documentIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
