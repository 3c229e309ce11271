import { z } from 'zod';
import { LIMITS } from './limits.ts';

// Whatever is shown in logs and metrics must not be able to break a line.
// biome-ignore lint/suspicious/noControlCharactersInRegex: keeping them out is the point
const NO_CONTROLS = /^[^\u0000-\u001f\u007f]*$/;

const text = (maxChars: number, description: string) =>
  z.string().min(1).max(maxChars).regex(NO_CONTROLS, 'must have no control characters').describe(description);

/** Key of a flag. Any script; slashes are allowed (`rollout/shop/web`). */
export const flagKey = text(LIMITS.keyChars, 'Key of a flag.');
/** Namespace whose flags these are. */
export const flagSetId = text(LIMITS.nameChars, 'Flag set: the namespace.');
/** Full name of an experiment, `<namespace>/<name>`, so that events of two namespaces are never taken for one. */
export const experimentKey = text(LIMITS.keyChars, 'Full name of an experiment: <namespace>/<name>.');
/** A name within a flag or a layer. */
export const name = (description: string) => text(LIMITS.nameChars, description);
/** Name of a property of the evaluation context, at its top level, as it is written there (dots have no meaning). */
export const attribute = text(
  LIMITS.attributeChars,
  'Name of an attribute at the top level of the evaluation context.',
);
export const salt = z.string().max(LIMITS.saltChars).describe('What is hashed together with the unit.');
/** A moment, RFC 3339 with zone. */
export const instant = z.iso.datetime({ offset: true }).describe('A time, RFC 3339.');
export const revision = z.int().min(0).describe('Number of the ruleset in its flag set; only ever grows.');
export const phase = z.int().min(1).describe('Phase of the experiment: one set of arms, weights, unit and audience.');
/** `sha256:` and 64 hex digits. */
export const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits')
  .describe('SHA-256 over the canonical JSON (RFC 8785) of the ruleset.');
/** First 8 bytes of SHA-256(salt of the installation + unit), in hex. */
export const unitHash = z
  .string()
  .regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits')
  .describe('First 8 bytes of SHA-256 over the salt of the installation and the unit, in hex.');
