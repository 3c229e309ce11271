import type { KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Code } from '../base/errors.ts';
import type { Ruleset } from '../wire/ruleset.ts';
import { openRuleset, type SealedRuleset } from '../wire/sealed-ruleset.ts';
import { decodeSnapshot } from '../wire/snapshot.ts';

/** A ruleset that was checked in everything: schema, bounds, digest and, where keys are known, signature. */
export interface Snapshot {
  readonly ruleset: Ruleset;
  readonly digest: string;
  /** The sealed ruleset as JSON in gzip, as it came. */
  readonly bytes: Uint8Array;
}

/** What a source has to say. */
export type News =
  /** `live`: from who makes rulesets, so it is the newest there is. Otherwise it is what was kept from before. */
  | { readonly kind: 'Ruleset'; readonly snapshot: Snapshot; readonly live: boolean }
  /** There was something, and it cannot be used: what is held goes on. */
  | { readonly kind: 'Refused'; readonly code: Code; readonly message: string }
  /** What is held is still the newest. */
  | { readonly kind: 'Confirmed' };

/** Where rulesets come from: files, a mounted snapshot, the operator's stream. */
export interface RulesetSource {
  /** Tells news until the signal aborts, then resolves. Rejects only for what no later attempt can mend. */
  run(tell: (news: News) => void, signal: AbortSignal): Promise<void>;
}

/** Public keys by their id. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** The keys that are trusted at this moment. */
export type KeyRing = () => TrustedKeys;

/** Judges a snapshot: the ruleset in it, or why it is refused whole. Never throws. */
export function openSnapshot(bytes: Uint8Array, keys?: TrustedKeys): Extract<News, { kind: 'Refused' }> | Snapshot {
  const opened = openRuleset(decodeSnapshot(bytes), keys);
  if (opened.ok) return { ruleset: opened.ruleset, digest: opened.digest, bytes };
  const [first] = opened.problems;
  return { kind: 'Refused', code: opened.code, message: `${first?.path || 'the ruleset'} ${first?.message}` };
}

/** A snapshot of what was sealed here, in a process of its own (local mode). */
export function snapshotOf(sealed: SealedRuleset): Snapshot {
  return { ruleset: sealed.ruleset, digest: sealed.digest, bytes: gzipSync(JSON.stringify(sealed)) };
}
