import { randomUUID } from 'node:crypto';
import { ACTION_ANNOTATION, type Action, actionSchema } from '../api/action.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import type { Clock } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import { isConflict } from '../kube/kube-error.ts';
import { whoAmI } from '../kube/who-am-i.ts';
import type { Connection } from './ports.ts';
import { changesOf, getRollout, type RolloutObject, rollouts, statusOf } from './rollouts.ts';

export interface Asked {
  readonly name: string;
  readonly action: Action['action'];
  readonly reason?: string | undefined;
  /** How long to wait for the operator. */
  readonly timeoutMs: number;
  /** For what a person should know meanwhile. */
  warn(line: string): void;
}

export interface Answer {
  readonly refused: boolean;
  /** In a sentence. */
  readonly message: string;
  readonly status: RolloutStatus;
}

/** These speak of the revision in flight; should another take its place meanwhile, they must not count. */
const BOUND: readonly Action['action'][] = ['approve', 'promote', 'promote-full', 'retry'];
/** Never waits behind another wish. */
const URGENT: readonly Action['action'][] = ['abort', 'abort-force'];
const MAX_TRIES = 20;

/** Asks the operator for something and waits until it was consumed; answers what came of it. */
export async function act(connection: Connection, clock: Clock, asked: Asked, signal: AbortSignal): Promise<Answer> {
  const { name, timeoutMs, warn } = asked;
  const by = await nameOfCaller(connection, signal);
  const { object, id } = await write(connection, asked, by, signal);
  const limit = AbortSignal.timeout(timeoutMs);
  let last = statusOf(object);
  try {
    const after = object.metadata.resourceVersion;
    const following = { name, clock, after, warn };
    for await (const changed of changesOf(connection, following, AbortSignal.any([signal, limit]))) {
      if (changed === undefined) throw deletedMeanwhile(asked);
      last = statusOf(changed);
      if (last.actionIds.includes(id)) return answerOf(asked.action, last);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
  }
  if (asked.action === 'abort' && last.reason === 'NoStableToReturnTo')
    throw new SluiceError('SLUICE_CLI_ABORT_HELD', `${name} is not taken back yet: ${last.message ?? ''}`);
  const stands = [last.phase, last.reason, last.message].filter((part) => part).join(': ');
  throw new SluiceError(
    'SLUICE_CLI_NOT_CONSUMED',
    `${name} has not taken up ${asked.action} within ${timeoutMs / 1000} s (${stands})`,
  );
}

const deletedMeanwhile = ({ name, action }: Asked): SluiceError =>
  new SluiceError('SLUICE_CLI_NO_ROLLOUT', `${name} was deleted before the operator took up ${action}`);

/** The operator writes what it did, or why it refuses, in the same status that says the action is consumed. */
function answerOf(action: Action['action'], status: RolloutStatus): Answer {
  const [entry] = status.transitions;
  const message = entry?.message ?? status.message ?? '';
  return { refused: message.startsWith(`${action} was refused`), message, status };
}

/** Writes the annotation on what was just read; once more when the Rollout changed in between. */
async function write(
  connection: Connection,
  { name, action, reason }: Asked,
  by: string | undefined,
  signal: AbortSignal,
): Promise<{ object: RolloutObject; id: string }> {
  const { client, namespace } = connection;
  for (let left = MAX_TRIES; ; left--) {
    const seen = await getRollout(connection, name, signal);
    const status = statusOf(seen);
    if (!URGENT.includes(action)) refusePending(seen, status);
    const revision = BOUND.includes(action) ? (status.inFlight?.hash ?? status.rolledBack?.hash) : undefined;
    const wish = actionSchema.parse({ id: randomUUID(), action, revision, reason, by });
    const annotations = { [ACTION_ANNOTATION]: JSON.stringify(wish) };
    const { uid, resourceVersion } = seen.metadata;
    try {
      const preconditions = URGENT.includes(action) ? { uid } : { uid, resourceVersion };
      const options = { signal, preconditions };
      const object = await client.patch(
        rollouts,
        { namespace, name },
        { merge: { metadata: { annotations } } },
        options,
      );
      return { object, id: wish.id };
    } catch (error) {
      if (!isConflict(error) || left === 0) throw error;
    }
  }
}

function refusePending({ metadata }: RolloutObject, { actionIds }: RolloutStatus): void {
  const pending = pendingAction(metadata.annotations?.[ACTION_ANNOTATION]);
  if (!pending || actionIds.includes(pending.id)) return;
  throw new SluiceError(
    'SLUICE_CLI_ACTION_PENDING',
    `${metadata.name} has not yet taken up ${pending.action}, which ${pending.by ?? 'somebody'} asked for`,
  );
}

/** What cannot be read will never be consumed, so it stands in nobody's way. */
function pendingAction(text: string | undefined): Action | undefined {
  if (text === undefined) return undefined;
  try {
    return actionSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Who the API server takes us for; else the kubeconfig's name for us. It goes into the history, nothing depends on it. */
async function nameOfCaller({ client, user }: Connection, signal: AbortSignal): Promise<string | undefined> {
  let name = user;
  try {
    name = (await whoAmI(client, { signal })) ?? user;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SluiceError)) throw error; // older servers and strict ones do not tell
  }
  return name?.slice(0, 253);
}
