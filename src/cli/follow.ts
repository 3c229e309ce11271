import { HELD_BY_ANNOTATION } from '../api/names.ts';
import { parseRollout } from '../api/parse.ts';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { SluiceError } from '../base/errors.ts';
import type { EpochMs } from '../base/units.ts';
import { deployments } from '../kube/builtins.ts';
import { type Holding, NOTICE_MS, type Outcome, outcomeOf, type Waited } from './outcome.ts';
import type { Connection } from './ports.ts';
import { changesOf, getRollout, type RolloutObject, statusOf } from './rollouts.ts';
import { type Colours, phaseText, verdictText } from './text.ts';

export interface FollowOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly colours: Colours;
  tell(line: string): void;
  /** What a person should know besides. */
  warn(line: string): void;
}

/** Tells each change of a Rollout until `signal` aborts, or the Rollout is gone. What cannot be read at first is an error. */
export async function follow(connection: Connection, options: FollowOptions, signal: AbortSignal): Promise<void> {
  const tell = changeTeller(options);
  await getRollout(connection, options.name, signal);
  for await (const object of changesOf(connection, options, signal)) {
    if (object === undefined) throw notThere(options.name, connection);
    tell(object);
  }
}

/** Tells each change until what the Deployment asks for now has ended, and answers how. */
export async function followToEnd(
  connection: Connection,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<Exclude<Outcome['kind'], 'Open'>> {
  const { name, clock } = options;
  const begun = await holdingOf(connection, await getRollout(connection, name, signal), signal);
  let waited: Waited = { generation: begun.generation, since: clock.now() };
  const tell = changeTeller(options);
  const changes = (within: AbortSignal) => changesOf(connection, options, within);
  for await (const object of withSecondLook(changes, clock, signal)) {
    if (object === undefined) return 'Superseded';
    tell(object);
    const holding = await holdingOf(connection, object, signal);
    const outcome = outcomeOf(statusOf(object), holding, waited, clock.now());
    if (outcome.kind !== 'Open') return outcome.kind;
    waited = outcome.waited;
  }
  return 'Superseded';
}

/** The changes, and the last of them once more when the operator must have noticed. Leaving the loop ends the watch. */
async function* withSecondLook<T>(
  changesUntil: (signal: AbortSignal) => AsyncGenerator<T>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const left = new AbortController();
  const within = AbortSignal.any([signal, left.signal]);
  const quietly = <P extends Promise<unknown>>(promise: P): P => {
    promise.catch(() => {}); // it is awaited here, unless the loop was left
    return promise;
  };
  const changes = changesUntil(within);
  const noticed = quietly(sleep(clock, NOTICE_MS, within).then(() => 'noticed' as const));
  let last: { readonly value: T } | undefined;
  let looked = false;
  try {
    let next = quietly(changes.next());
    for (;;) {
      const found = await (looked ? next : Promise.race([next, noticed]));
      if (found === 'noticed') {
        looked = true;
        if (last) yield last.value;
        continue;
      }
      if (found.done) return;
      last = { value: found.value };
      yield found.value;
      next = quietly(changes.next());
    }
  } finally {
    left.abort();
  }
}

async function holdingOf(
  { client, namespace }: Connection,
  object: RolloutObject,
  signal: AbortSignal,
): Promise<Holding & { generation: number }> {
  const parsed = parseRollout(object);
  if (!parsed.ok)
    throw new SluiceError('SLUICE_FIELD_INVALID', `${object.metadata.name} has an invalid spec: see status`);
  const { workload, mode } = parsed.rollout.spec;
  const found = await client.get(deployments, { namespace, name: workload.name }, { signal });
  if (!found) {
    throw new SluiceError(
      'SLUICE_CLI_NO_DEPLOYMENT',
      `there is no Deployment ${workload.name} in the namespace ${namespace}`,
    );
  }
  const { generation = 0, annotations = {} } = found.metadata;
  return { generation, held: HELD_BY_ANNOTATION in annotations, acts: mode === 'Act' };
}

/** Tells a Rollout whose line differs from the one before. */
function changeTeller({ colours, clock, tell }: FollowOptions): (object: RolloutObject) => void {
  let before = '';
  return (object) => {
    const line = stateLine(statusOf(object), colours);
    if (line === before) return;
    before = line;
    tell(`${timeText(clock.now())}  ${line}`);
  };
}

const timeText = (at: EpochMs): string => new Date(at).toISOString().slice(11, 19);

/** Phase, step, weight, verdict and why, in one line. */
export function stateLine({ phase, step, weight, verdict, reason, message }: RolloutStatus, colours: Colours): string {
  const where = [phaseText(colours, phase), step && `step ${step}`, weight, verdict && verdictText(colours, verdict)];
  const why = [reason, message].filter((part) => part).join(': ');
  return [...where, why].filter((part) => part).join('  ');
}

const notThere = (name: string, { namespace }: Connection) =>
  new SluiceError('SLUICE_CLI_NO_ROLLOUT', `there is no Rollout ${name} in the namespace ${namespace}`);
