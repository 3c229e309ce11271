import { GROUP, VERSION } from '../api/names.ts';
import { parseRolloutStatus } from '../api/parse.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import { type KubeObject, OBJECT_NAME, type Resource } from '../kube/resource.ts';
import type { Connection } from './ports.ts';
import { withoutControls } from './text.ts';

/** A Rollout as the API server gives it; spec and status are read when they are needed. */
export interface RolloutObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

export const rollouts: Resource<RolloutObject> = {
  group: GROUP,
  version: VERSION,
  plural: 'rollouts',
  kind: 'Rollout',
  namespaced: true,
};

/** How long to stay away from an API server that ended a watch or did not answer. */
const AGAIN_MS = 1_000;

/** `catalog`, `rollout/catalog` and `slr/catalog` are the same. */
export function nameOf(argument: string, ...kinds: readonly string[]): string {
  const slash = argument.indexOf('/');
  const kind = argument.slice(0, slash).toLowerCase();
  if (slash >= 0 && !kinds.includes(kind) && !kinds.includes(kind.replace(/s$/, ''))) {
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `"${argument}" is not a ${kinds[0]}`);
  }
  const name = argument.slice(slash + 1);
  if (!OBJECT_NAME.test(name)) {
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `"${argument}" is no name of a ${kinds[0]}`);
  }
  return name;
}

export const rolloutName = (argument: string): string =>
  nameOf(argument, 'rollout', 'slr', 'rollout.sluice.dev', 'rollouts.sluice.dev');

/** The status, with defaults where the operator has written none yet. */
export function statusOf(object: RolloutObject): RolloutStatus {
  const parsed = parseRolloutStatus(printable(object.status));
  if (parsed.ok) return parsed.status;
  const [{ path, message } = { path: 'status', message: '' }] = parsed.problems;
  throw new SluiceError(
    'SLUICE_FIELD_INVALID',
    `${object.metadata.name}: ${path} ${message}; is this plugin older than the operator?`,
  );
}

/** The same with control characters replaced: what a provider or manager said must not steer a terminal. */
export function printable(part: unknown): unknown {
  const text = JSON.stringify(part ?? {});
  return JSON.parse(text, (_, value) => (typeof value === 'string' ? withoutControls(value) : value));
}

export async function getRollout(
  { client, namespace }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<RolloutObject> {
  const found = await client.get(rollouts, { namespace, name }, { signal });
  if (!found)
    throw new SluiceError('SLUICE_CLI_NO_ROLLOUT', `there is no Rollout ${name} in the namespace ${namespace}`);
  return found;
}

interface Following {
  readonly name: string;
  readonly clock: Clock;
  /** Only changes after this version; without it the present state comes first. */
  readonly after?: string | undefined;
  /** Told once when the API server can no longer be read, and once when it answers again. */
  warn(line: string): void;
}

/**
 * The Rollout each time it changed; `undefined` when it is not there. Goes on over broken connections until the loop is
 * left or `signal` aborts.
 */
export async function* changesOf(
  { client, namespace }: Connection,
  { name, clock, after, warn }: Following,
  signal: AbortSignal,
): AsyncGenerator<RolloutObject | undefined> {
  const selection = { namespace, fieldSelector: `metadata.name=${name}` };
  let version = after;
  let isLost = false;
  for (;;) {
    try {
      if (version === undefined) {
        const list = await client.list(rollouts, selection, { signal });
        if (isLost) warn('the API server answers again');
        isLost = false;
        yield list.items[0];
        version = list.resourceVersion;
      }
      for await (const event of client.watch(rollouts, { ...selection, resourceVersion: version, signal })) {
        if (event.type === 'BOOKMARK') continue;
        yield event.type === 'DELETED' ? undefined : event.object;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SluiceError) || error.retry === 'never' || error.code === 'SLUICE_KUBE_DENIED')
        throw error;
      // A watch that broke is nothing: what it missed is read now. Only what cannot be read is worth a word.
      if (version === undefined && !isLost) {
        isLost = true;
        warn(`no answer from the API server, trying on: ${withoutControls(error.message)}`);
      }
    }
    version = undefined;
    await sleep(clock, AGAIN_MS, signal);
  }
}
