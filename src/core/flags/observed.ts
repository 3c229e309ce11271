import type { FeatureFlagSpec } from '../../api/feature-flag.ts';
import type { FeatureFlagStatus } from '../../api/feature-flag-status.ts';
import type { EpochMs } from '../../base/units.ts';
import type { Flag } from '../../wire/flag.ts';
import type { FlagSource } from './compile-flags.ts';

/** One FeatureFlag as it was seen. */
export interface ObservedFlag {
  readonly source: FlagSource;
  readonly generation: number;
  readonly status: FeatureFlagStatus;
  /** Its spec as canonical JSON; undefined where it has none. */
  readonly spec: string | undefined;
  /** Who and when, where the webhook vouches for it. */
  readonly author: string | undefined;
  readonly changedAt: EpochMs | undefined;
  /** Of a spec that can be read. */
  readonly purpose: FeatureFlagSpec['purpose'] | undefined;
  readonly expiresAt: EpochMs | undefined;
}

/** Numbers of rulesets that others may have written are taken up to here: from there a namespace never comes to the last safe integer. */
export const MAX_NOTED_REVISION = 1e12;

/** The ruleset that evaluators are given. */
export interface PublishedRuleset {
  readonly revision: number;
  readonly issuedAt?: EpochMs | undefined;
  /** Undefined where it was damaged, or is signed by another key: it is published anew. */
  readonly flags: Readonly<Record<string, Flag>> | undefined;
}

/** One namespace: a flag set. */
export interface ObservedFlags {
  readonly namespace: string;
  readonly flags: readonly ObservedFlag[];
  /** Flags that no FeatureFlag describes, by key: those of Rollouts. Their keys are reserved. */
  readonly builtIn: Readonly<Record<string, Flag>>;
  /** The newest revision that this leader has published; 0 before. */
  readonly publishedHere: number;
  readonly published: PublishedRuleset | undefined;
  readonly unitHashSalt: string;
}

/** How far the rulesets of a namespace have come: a picture of one moment. */
export interface Reach {
  /** Of each connected evaluator: the revision that it runs; -1 while it has said nothing. */
  readonly running: readonly number[];
  /** By revision, for recent ones: how many seconds each evaluator that runs it, or a newer one, took. */
  readonly seconds: ReadonlyMap<number, readonly number[]>;
  /** By key: when an evaluator last said that it was asked for it. */
  readonly evaluatedAt: ReadonlyMap<string, EpochMs>;
}
