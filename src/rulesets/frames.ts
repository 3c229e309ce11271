import type { SealedRuleset } from '../wire/sealed-ruleset.ts';
import { type Made, madeOf } from './order.ts';

/** The newest ruleset of a flag set as the hub keeps it: made once, sent to everyone from the same memory. */
export interface Published extends Made {
  readonly flagSetId: string;
  readonly digest: string;
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
  const { flagSetId, revision, flags } = ruleset;
  const ping: PingData = { revision, digest };
  return {
    ...madeOf(ruleset),
    flagSetId,
    digest,
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
