import { gunzipSync, gzipSync } from 'node:zlib';
import { SluiceError } from '../base/errors.ts';
import { LIMITS } from './limits.ts';
import type { SealedRuleset } from './sealed-ruleset.ts';

/** Name of the ConfigMap in each namespace that holds its ruleset, and of the file in it. */
export const SNAPSHOT_NAME = 'sluice-ruleset';
export const SNAPSHOT_FILE = 'ruleset.json.gz';
/** Beside it: the authorities of the operator's certificate, and the key that signs rulesets, both in PEM. */
export const AUTHORITIES_FILE = 'ca.crt';
export const PUBLIC_KEY_FILE = 'public-key.pem';

/** A ConfigMap takes 1 MiB, in which Base64 counts as what it stands for; the rest is for its metadata. */
export const MAX_SNAPSHOT_BYTES = 900 * 1024;

/** Of one that differs by its switches alone from one that was not too large. */
export const MAX_SWITCHED_BYTES = 940 * 1024;
/** Of the JSON. */
const MAX_TEXT_BYTES = 2 * LIMITS.rulesetChars;

/** A sealed ruleset as it lies in the ConfigMap: JSON in gzip. Throws SLUICE_RULESET_TOO_LARGE. */
export function encodeSnapshot(sealed: SealedRuleset, maxBytes = MAX_SNAPSHOT_BYTES): Buffer {
  const text = Buffer.from(JSON.stringify(sealed));
  if (text.length > MAX_TEXT_BYTES) throw tooLarge(sealed, text.length, `${MAX_TEXT_BYTES} bytes`);
  const bytes = gzipSync(text, { level: 9 });
  if (bytes.length <= maxBytes) return bytes;
  throw tooLarge(sealed, bytes.length, `${maxBytes} bytes in gzip`);
}

/** What was measured is no part of the message, which goes into statuses: it differs each time, as the time of making does. */
function tooLarge({ ruleset: { flagSetId, flags } }: SealedRuleset, bytes: number, limit: string): SluiceError {
  const facts = { flagSetId, flags: Object.keys(flags).length, bytes };
  return new SluiceError('SLUICE_RULESET_TOO_LARGE', `the ruleset of ${flagSetId} takes more than ${limit}`, facts);
}

/** What lies in a snapshot, for `openRuleset` to judge; undefined for what is no JSON in gzip, or too much of it. */
export function decodeSnapshot(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_TEXT_BYTES }).toString('utf8'));
  } catch {
    return undefined;
  }
}
