import { createHash } from 'node:crypto';
import { canonicalJson } from '../wire/canonical-json.ts';

/**
 * Entity tag of all answers to a context: the same as long as ruleset, time boundaries passed, staleness and context are. Web
 * clients keep their tag when the context changes, so it must be in it. Undefined for a context without canonical form.
 */
export function answersTag(configTag: string, stale: boolean, context: unknown): string | undefined {
  let text: string;
  try {
    text = canonicalJson(context);
  } catch {
    return undefined; // lone surrogates
  }
  const hash = createHash('sha256').update(`${configTag} ${stale} ${text}`).digest('base64url');
  return `"${hash.slice(0, 22)}"`;
}

/** Whether If-None-Match names this tag (RFC 9110 §13.1.2: weak comparison, a list, or any). */
export function isMatch(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((one) => {
    const named = one.trim().replace(/^W\//, '');
    return named === '*' || named === tag;
  });
}
