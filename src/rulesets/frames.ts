import type { EpochMs } from '../base/units.ts';
import type { SealedRuleset } from '../wire/sealed-ruleset.ts';

/** The newest ruleset of a flag set as the hub keeps it: made once, sent to everyone from the same memory. */
export interface Published {
  readonly flagSetId: string;
  readonly revision: number;
  readonly digest: string;
  readonly issuedAt: EpochMs;
  readonly keys: ReadonlySet<string>;
  readonly snapshotFrame: Buffer;
  readonly pingFrame: Buffer;
}

/** What a ping says: the newest revision, so that who runs it knows that nothing is newer. */
export interface PingData {
  readonly revision: number;
  readonly digest: string;
}

/** `content`: the sealed ruleset as JSON in gzip in Base64, as it lies in the ConfigMap. */
export function publishedOf({ ruleset, digest }: SealedRuleset, content: string): Published {
  const { flagSetId, revision, issuedAt, flags } = ruleset;
  const ping: PingData = { revision, digest };
  return {
    flagSetId,
    revision,
    digest,
    issuedAt: Date.parse(issuedAt) as EpochMs,
    keys: new Set(Object.keys(flags)),
    snapshotFrame: Buffer.from(`event: snapshot\nid: ${revision}\ndata: ${content}\n\n`),
    pingFrame: Buffer.from(`event: ping\ndata: ${JSON.stringify(ping)}\n\n`),
  };
}

/** What `publishedOf` was given. */
export function contentIn({ snapshotFrame }: Published): Buffer {
  return snapshotFrame.subarray(snapshotFrame.indexOf(DATA) + DATA.length, -2);
}

const DATA = '\ndata: ';

/** Where no ruleset is known yet. */
export const EMPTY_PING = Buffer.from('event: ping\ndata: {}\n\n');
