/** Bounds of everything that crosses processes. Sizes are of UTF-16 units where a text is meant, else counts. */
export const LIMITS = {
  /** Text of a whole ruleset, before gzip. */
  rulesetChars: 16 * 1024 * 1024,
  /** Nesting of any document. */
  depth: 64,
  /** Nesting of conditions in one rule, segments not counted. */
  conditionDepth: 16,
  flags: 10_000,
  layers: 1_000,
  holdoutsPerLayer: 16,
  variants: 64,
  /** Value of one variant, as JSON text. */
  variantChars: 65_536,
  overrides: 64,
  /** Units of one override; all of a flag together are at most 64 times this. */
  overrideUnits: 1_000,
  prerequisites: 16,
  segments: 64,
  experiments: 64,
  rules: 128,
  admissions: 4,
  ranges: 1_000,
  /** Conditions beside each other. */
  conditions: 256,
  /** Values of an `in`, `inCidr`, `anyOf`, `allOf` or `noneOf`. */
  values: 5_000,
  timeBoundaries: 10_000,
  nameChars: 128,
  keyChars: 256,
  attributeChars: 256,
  valueChars: 4_096,
  patternChars: 1_024,
  saltChars: 512,
  /** Events in one batch. */
  batch: 1_000,
  /** Dimensions of one event. */
  dimensions: 32,
} as const;
