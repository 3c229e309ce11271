import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import type { WireProblem } from './json.ts';
import { digest, name } from './names.ts';
import { type ParsedRuleset, parseRuleset, type Ruleset, rulesetSchema, wireProblems } from './ruleset.ts';

/** A ruleset with its digest and the operator's signature over that. */
export const sealedRulesetSchema = z.strictObject({
  ruleset: rulesetSchema,
  digest,
  signature: z
    .strictObject({
      algorithm: z.literal('Ed25519'),
      keyId: name('Which key of the installation signed.'),
      value: z.base64().max(88).describe('Over the UTF-8 bytes of "sluice.ruleset/v1 " and the digest.'),
    })
    .exactOptional(),
});
export type Signature = NonNullable<z.output<typeof sealedRulesetSchema>['signature']>;
export interface SealedRuleset {
  readonly ruleset: Ruleset;
  readonly digest: string;
  readonly signature?: Signature;
}

export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** Id of a key: first 8 bytes of SHA-256 over its public part (SPKI, DER), in hex. */
export const keyIdOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

/** SHA-256 over the canonical JSON, as `sha256:` and hex. Throws SLUICE_JSON_NOT_CANONICAL. */
export function digestOf(document: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(document)).digest('hex')}`;
}

/** What crosses the wire. Without a key it is not signed (local mode). */
export function sealRuleset(ruleset: Ruleset, key?: SigningKey): SealedRuleset {
  const digest = digestOf(ruleset);
  if (key === undefined) return { ruleset, digest };
  const value = sign(null, signedBytes(digest), key.privateKey).toString('base64');
  return { ruleset, digest, signature: { algorithm: 'Ed25519', keyId: key.id, value } };
}

export type OpenedRuleset =
  | { readonly ok: true; readonly ruleset: Ruleset; readonly digest: string }
  | Extract<ParsedRuleset, { ok: false }>
  | {
      readonly ok: false;
      readonly code: 'SLUICE_RULESET_DIGEST' | 'SLUICE_RULESET_SIGNATURE';
      readonly problems: readonly WireProblem[];
    };

/**
 * Checks everything about a sealed ruleset: schema version, bounds, digest, shape; with `publicKeys` (by id) also that
 * one of them signed it. Never throws.
 */
export function openRuleset(document: unknown, publicKeys?: ReadonlyMap<string, KeyObject>): OpenedRuleset {
  const inner = (document as { ruleset?: unknown } | null | undefined)?.ruleset;
  const parsed = parseRuleset(inner);
  if (!parsed.ok) return parsed;
  const envelope = envelopeSchema.safeParse(document);
  if (!envelope.success) return { ok: false, code: 'SLUICE_RULESET_INVALID', problems: wireProblems(envelope.error) };
  const { digest, signature } = envelope.data;
  if (digestOf(inner) !== digest) return broken('SLUICE_RULESET_DIGEST', 'digest', 'is not the digest of this ruleset');
  if (publicKeys !== undefined && !isSignedBy(publicKeys, digest, signature)) {
    return broken('SLUICE_RULESET_SIGNATURE', 'signature', 'is not of a key that is trusted here');
  }
  return { ok: true, ruleset: parsed.ruleset, digest };
}

/** Whether one of these keys has signed exactly this: then its shape was checked when it was made. Throws for what has no form at all. */
export const isSealedBy = (
  keys: ReadonlyMap<string, KeyObject>,
  { ruleset, digest, signature }: SealedRuleset,
): boolean => digestOf(ruleset) === digest && isSignedBy(keys, digest, signature);

const envelopeSchema = sealedRulesetSchema.extend({ ruleset: z.unknown() });

function broken(
  code: 'SLUICE_RULESET_DIGEST' | 'SLUICE_RULESET_SIGNATURE',
  path: string,
  message: string,
): OpenedRuleset {
  return { ok: false, code, problems: [{ path, message }] };
}

function isSignedBy(keys: ReadonlyMap<string, KeyObject>, digest: string, signature: Signature | undefined): boolean {
  const key = signature === undefined ? undefined : keys.get(signature.keyId);
  if (key === undefined || signature === undefined || key.asymmetricKeyType !== 'ed25519') return false;
  return verify(null, signedBytes(digest), key, Buffer.from(signature.value, 'base64'));
}

/** The name of the schema keeps a signature of something else from ever being taken for one of a ruleset. */
function signedBytes(digest: string): Buffer {
  return Buffer.from(`sluice.ruleset/v1 ${digest}`);
}
