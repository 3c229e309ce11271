import { hash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { dimensions } from './dimensions.ts';
import { jsonProblem } from './json.ts';
import { LIMITS } from './limits.ts';
import { experimentKey, flagKey, flagSetId, instant, name, phase, revision, unitHash } from './names.ts';

const assignment = {
  experiment: experimentKey,
  phase,
  arm: name('Arm that the unit got; `holdout` for units that a holdout keeps out.'),
  unitHash,
  revision,
};

/** What an exposure token says: base64url of this as JSON. */
const exposureTokenSchema = z.strictObject(assignment);
export type ExposureToken = z.output<typeof exposureTokenSchema>;

/** Body of POST /exposures: what an application says it has shown. */
export const exposureReportsSchema = z.strictObject({
  exposures: z
    .array(
      z.strictObject({
        token: z.string().min(1).max(2_048).describe('The exposureToken of an answer.'),
        time: instant.exactOptional().describe('When it was shown; default: now.'),
        dimensions: dimensions.exactOptional(),
      }),
    )
    .max(LIMITS.batch),
});
export type ExposureReports = z.output<typeof exposureReportsSchema>;

/** One exposure, as evaluators send it to the collector. */
export const exposureSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('The same for the same experiment, phase, unit and arm.'),
  flagSetId,
  flag: flagKey.exactOptional(),
  ...assignment,
  time: instant,
  dimensions: dimensions.exactOptional(),
});
export type Exposure = z.output<typeof exposureSchema>;

/** Id of an exposure: SHA-256 over the canonical JSON of [experiment, phase, unit hash, arm]; the revision does not count. */
export function exposureId({
  experiment,
  phase,
  unitHash,
  arm,
}: Pick<ExposureToken, 'experiment' | 'phase' | 'unitHash' | 'arm'>): string {
  return hash('sha256', canonicalJson([experiment, phase, unitHash, arm]));
}

/** Hash of a unit for events: first 8 bytes of SHA-256(salt + unit) over UTF-8, in hex. Lone surrogates count as U+FFFD. */
export function unitHashOf(unitHashSalt: string, unit: string): string {
  return hash('sha256', `${unitHashSalt}${unit}`).slice(0, 16);
}

export function encodeExposureToken(token: ExposureToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** The content of a token, undefined when it is none. Tokens are not signed: they say what the application could say anyway. */
export function decodeExposureToken(text: string): ExposureToken | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    // Escapes in it can say what no event can: lone surrogates.
    if (jsonProblem(value, text.length) !== undefined) return undefined;
    const parsed = exposureTokenSchema.safeParse(value);
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // no JSON in it
  }
}
