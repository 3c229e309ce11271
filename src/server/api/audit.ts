import type { Logger } from '../../base/logger.ts';
import { authorOf } from '../../controllers/feature-flag/author.ts';
import { specTextOf } from '../../core/flags/flag-source.ts';
import type { FlagObject } from '../../flags/flag-object.ts';

/** One request that came with a token, as the log has it. Never holds a token, a body, or a header. */
export interface Audited {
  readonly requestId: string;
  /** Digest of the token: the same for requests of one token, and good for nothing else. */
  readonly caller: string;
  readonly operation: string;
  readonly isWrite: boolean;
  /** Namespace and key. */
  readonly params: object;
  readonly status: number;
  /** Of a request that was refused. */
  readonly refusal?: { readonly code: string; readonly message: string };
  readonly written?: { readonly before: FlagObject | undefined; readonly after: FlagObject } | undefined;
  readonly tookMs: number;
}

/** Writes are told, and what fails behind us; reading is told to those who want to know everything. */
export function audit(logger: Logger, { written, isWrite, params, refusal, ...facts }: Audited): void {
  const line = { ...facts, ...params, ...refusal, ...(written && changeOf(written)) };
  if (facts.status >= 500) logger.warn(line, 'a request over HTTP failed');
  else if (isWrite) logger.info(line, 'a request over HTTP');
  else logger.debug(line, 'a request over HTTP');
}

/** What came of a write, and who the API server takes the caller for: the webhook has stamped it. */
function changeOf({ before, after }: NonNullable<Audited['written']>): object {
  const { name, generation } = after.metadata;
  // Nothing changed: the stamp is that of somebody before.
  if (before && before.metadata.generation === generation) return { name, changed: false };
  const spec = specTextOf(after);
  const author = spec === undefined ? undefined : authorOf(after, spec);
  return { name, changed: true, generation, by: author?.by };
}
