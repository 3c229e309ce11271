import { MAX_OBJECT_BYTES } from '../../api/bounded-size.ts';
import { type FlagRevision, MAX_HISTORY_BYTES, MAX_REVISIONS } from '../../api/feature-flag-status.ts';
import type { EpochMs } from '../../base/units.ts';

/** The spec that a flag has now. */
export interface PresentSpec {
  /** Canonical JSON. */
  readonly spec: string;
  readonly at: EpochMs;
  readonly author: string | undefined;
  readonly accepted: boolean;
}

/**
 * The history with the present spec as its last entry. A spec that is there already gets no new number; it may become
 * accepted later. The oldest entries go, but never the present one and never the newest that was accepted: it is what is
 * served while the present one cannot be. A spec that is larger than any that is served is no revision: nobody can go back
 * to it, and with the last good one it would be more than a status holds.
 */
export function withPresent(history: readonly FlagRevision[], present: PresentSpec): FlagRevision[] {
  if (bytesOf(present) > MAX_OBJECT_BYTES) return [...history];
  const last = history.at(-1);
  const { accepted, author, ...rest } = present;
  if (last?.spec === present.spec) {
    return accepted && !last.accepted ? [...history.slice(0, -1), { ...last, accepted: true }] : [...history];
  }
  const revision = (last?.revision ?? 0) + 1;
  return trimmed([...history, { revision, ...rest, ...(author !== undefined && { author }), accepted }]);
}

function trimmed(history: readonly FlagRevision[]): FlagRevision[] {
  const good = lastAccepted(history);
  const kept = new Set([history.at(-1), good]);
  let bytes = [...kept].reduce((sum, one) => sum + (one ? bytesOf(one) : 0), 0);
  for (const one of [...history].reverse()) {
    if (kept.has(one)) continue;
    bytes += bytesOf(one);
    if (kept.size >= MAX_REVISIONS || bytes > MAX_HISTORY_BYTES) break;
    kept.add(one);
  }
  return history.filter((one) => kept.has(one));
}

export const lastAccepted = (history: readonly FlagRevision[]): FlagRevision | undefined =>
  history.findLast(({ accepted }) => accepted);

/** In UTF-8. */
const bytesOf = ({ spec }: Pick<FlagRevision, 'spec'>): number => new TextEncoder().encode(spec).length;
