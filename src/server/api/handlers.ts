import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseFeatureFlag } from '../../api/parse.ts';
import { isMatch } from '../../evaluator/entity-tag.ts';
import { findFlag, flagPage } from '../../flags/find-flag.ts';
import { type FlagObject, featureFlags } from '../../flags/flag-object.ts';
import { goTo, revisionToGoTo } from '../../flags/roll-back.ts';
import type { CallerClient } from '../../kube/caller-clients.ts';
import { isConflict } from '../../kube/kube-error.ts';
import { apiVersionOf } from '../../kube/resource.ts';
import { ApiRefusal, asPrecondition, notTheSame, unprocessable } from './failure.ts';
import { flagView, historyView, tagOf } from './flag-view.ts';
import { changeForm, creationForm, flagKey, from, limit, namespaceName, rollbackForm } from './forms.ts';
import type { OperationName } from './operations.ts';
import { parsedBody, parsedInput } from './parsed.ts';

/** One request of somebody. */
export interface ApiCall {
  /** Speaks for the caller. */
  readonly client: CallerClient;
  readonly params: unknown;
  readonly query: unknown;
  /** Undefined where there is none. */
  readonly body: unknown;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly signal: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly tag: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** What was written, for the log. */
  readonly written?: { readonly before: FlagObject | undefined; readonly after: FlagObject };
}

type Handler = (call: ApiCall) => Promise<ApiAnswer>;

const DEFAULT_PAGE = 100;
/** The operator writes a status after each change: whoever goes back right then meets one such write, not many. */
const ROLLBACK_TRIES = 5;

const noQuery = z.strictObject({});
const paging = z.strictObject({ limit: limit.exactOptional(), continue: from.exactOptional() });
const inNamespace = z.strictObject({ namespace: namespaceName });
const ofFlag = z.strictObject({ namespace: namespaceName, key: flagKey });

export const handlers: Readonly<Record<Exclude<OperationName, 'document'>, Handler>> = {
  listAllFlags: (call) => list(call, undefined),

  listFlags: async (call) => list(call, parsedInput(inNamespace, call.params).namespace),

  async createFlag(call) {
    const { namespace } = parsedInput(inNamespace, call.params);
    parsedInput(noQuery, call.query);
    const { name } = parsedBody(creationForm, call.body);
    const { spec } = call.body as { spec: FlagObject['spec'] & object };
    const { kind } = featureFlags;
    const object = { apiVersion: apiVersionOf(featureFlags), kind, metadata: { namespace, name }, spec };
    const judged = parseFeatureFlag(object);
    if (!judged.ok) throw unprocessable(judged.problems);
    const made = await call.client.create(featureFlags, object, { signal: call.signal, strict: true });
    const location = `/api/v1/namespaces/${namespace}/flags/${encodeURIComponent(flagView(made).key)}`;
    return {
      status: 201,
      tag: tagOf(made),
      headers: { location },
      body: flagView(made),
      written: { before: undefined, after: made },
    };
  },

  async getFlag(call) {
    const flag = await asked(call);
    return answer(call, tagOf(flag), () => flagView(flag));
  },

  async changeFlag(call) {
    parsedBody(changeForm, call.body);
    const flag = await asked(call);
    requireMatch(call, flag);
    const { namespace, name, uid, resourceVersion } = flag.metadata;
    // Without If-Match no version must still stand: whoever kills a flag must not lose a race.
    const preconditions = { uid, ...(call.ifMatch !== undefined && { resourceVersion }) };
    const options = { signal: call.signal, strict: true, preconditions };
    const merge = call.body as object;
    return written(call, flag, () => call.client.patch(featureFlags, { namespace, name }, { merge }, options));
  },

  async flagHistory(call) {
    const flag = await asked(call);
    return answer(call, tagOf(flag), () => ({ items: historyView(flag) }));
  },

  async rollBackFlag(call) {
    const { revision } = parsedBody(rollbackForm, call.body === undefined ? {} : call.body);
    for (let left = ROLLBACK_TRIES - 1; ; left--) {
      const flag = await asked(call);
      requireMatch(call, flag);
      const target = revisionToGoTo(flag, revision);
      if (!target) throw noRevision(flag, revision);
      try {
        return await written(call, flag, () => goTo(call.client, flag, target, call.signal));
      } catch (error) {
        if (!isConflict(error) || left === 0) throw error;
      }
    }
  },
};

async function list(call: ApiCall, namespace: string | undefined): Promise<ApiAnswer> {
  const query = parsedInput(paging, call.query);
  const options = { namespace, limit: query.limit ?? DEFAULT_PAGE, from: query.continue };
  const { items, next } = await flagPage(call.client, options, call.signal);
  const versions = items.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`);
  const hash = createHash('sha256')
    .update(JSON.stringify([versions, next === undefined]))
    .digest('base64url');
  // Weak: where the next page begins is written anew each time.
  return answer(call, `W/"${hash.slice(0, 22)}"`, () => ({
    items: items.map(flagView),
    ...(next !== undefined && { continue: next }),
  }));
}

/** The flag that the path names. */
async function asked(call: ApiCall): Promise<FlagObject> {
  const { namespace, key } = parsedInput(ofFlag, call.params);
  parsedInput(noQuery, call.query);
  const flag = await findFlag(call.client, namespace, key, call.signal);
  if (flag) return flag;
  const message = `there is no FeatureFlag ${JSON.stringify(key)} in the namespace ${namespace}`;
  throw new ApiRefusal('SLUICE_API_NO_FLAG', 404, message);
}

function answer({ ifNoneMatch }: ApiCall, tag: string, body: () => object): ApiAnswer {
  // Weak comparison (RFC 9110 §13.1.2).
  if (isMatch(ifNoneMatch, tag.replace(/^W\//, ''))) return { status: 304, tag };
  return { status: 200, tag, body: body() };
}

async function written({ ifMatch }: ApiCall, before: FlagObject, write: () => Promise<FlagObject>): Promise<ApiAnswer> {
  try {
    const after = await write();
    return { status: 200, tag: tagOf(after), body: flagView(after), written: { before, after } };
  } catch (error) {
    throw ifMatch === undefined ? error : asPrecondition(error);
  }
}

/** Strong comparison (RFC 9110 §13.1.1). */
function requireMatch({ ifMatch }: ApiCall, flag: FlagObject): void {
  if (ifMatch === undefined) return;
  const named = ifMatch.split(',').map((one) => one.trim());
  if (!named.includes('*') && !named.includes(tagOf(flag))) throw notTheSame();
}

function noRevision(flag: FlagObject, revision: number | undefined): ApiRefusal {
  const known = historyView(flag).map((one) => one.revision);
  const wanted =
    revision === undefined
      ? 'no accepted revision before the present one that differs in more than the kill switch'
      : `no revision ${revision}`;
  const message = `${flag.metadata.name} has ${wanted}; it knows ${known.join(', ') || 'none'}`;
  return new ApiRefusal('SLUICE_API_NO_REVISION', 422, message);
}
