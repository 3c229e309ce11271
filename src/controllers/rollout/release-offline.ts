import type { RolloutSpec } from '../../api/rollout.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { SluiceError } from '../../base/errors.ts';
import { silent } from '../../base/logger.ts';
import { decide } from '../../core/rollout/decide.ts';
import { isFinishing } from '../../core/rollout/flight.ts';
import { mutatingWebhookConfigurations } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { GATE } from '../installation.ts';
import { findLiveOperator } from '../live-operator.ts';
import { apply } from './apply.ts';
import { type Gathered, gather } from './gather.ts';
import { newMemory, type RolloutMemory } from './memory.ts';
import { readSources } from './read-sources.ts';
import { rolloutsResource, type Sources } from './sources.ts';

/** Between two looks at a cluster in which nothing moved. */
const LOOK_MS = 1_000;

export interface OfflinePorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Progress, a line at a time. */
  tell(line: string): void;
}

export interface OfflineRelease {
  readonly namespace: string;
  readonly name: string;
  /** Instead of spec.onDelete. */
  readonly onDelete?: RolloutSpec['onDelete'] | undefined;
  /** Do not ask whether an operator is alive. */
  readonly force: boolean;
  readonly timeoutMs: number;
}

/**
 * Deletes a Rollout and carries out what its deletion means, for an operator that is gone for good: the same gather, decide
 * and apply, from here, until the finalizer is removed. Safe to end at any moment and to begin again. Fails with
 * SLUICE_CLI_OPERATOR_ALIVE, SLUICE_CLI_GATE_UNSERVED (before anything is written) or SLUICE_CLI_NOT_RELEASED.
 */
export async function releaseOffline(ports: OfflinePorts, asked: OfflineRelease, signal: AbortSignal): Promise<void> {
  const { client, clock, tell } = ports;
  const { namespace, name, force } = asked;
  const alive = force ? undefined : await findLiveOperator(ports, signal);
  if (alive !== undefined)
    throw new SluiceError('SLUICE_CLI_OPERATOR_ALIVE', `an operator is alive and leads: ${alive}`);
  const memory = newMemory();
  const first = look(await readSources(client, namespace, signal), memory, asked, clock);
  if (!first) return;
  await refuseUnservedGate(client, first, signal);
  const { uid } = first.rollout.metadata;
  await client.delete(
    rolloutsResource,
    { namespace, name },
    { signal, preconditions: { uid }, propagation: 'Background' },
  );
  tell(`Rollout ${name} is marked for deletion`);
  await carryOut(ports, asked, memory, uid, signal);
}

/** Pass after pass until the Rollout, or that one of its name, is gone. */
async function carryOut(
  { client, clock, tell }: OfflinePorts,
  asked: OfflineRelease,
  memory: RolloutMemory,
  uid: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const end = clock.now() + asked.timeoutMs;
  let told = '';
  const tellOnce = (line: string) => {
    if (line !== told) tell(line);
    told = line;
  };
  while (clock.now() < end) {
    const sources = await readSources(client, asked.namespace, signal);
    const gathered = look(sources, memory, asked, clock);
    if (!gathered || gathered.rollout.metadata.uid !== uid) return;
    const decision = decide(gathered.observed, clock.now());
    tellOnce(`${decision.reason}: ${decision.message}`);
    try {
      const changed = await apply({ client, sources, clock, logger: silent, memory, gathered, signal }, decision);
      if (changed || decision.writes.length > 0) continue;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SluiceError) || error.retry === 'never' || error.code === 'SLUICE_KUBE_DENIED')
        throw error;
      tellOnce(error.message);
    }
    await sleep(clock, LOOK_MS, signal);
  }
  throw new SluiceError(
    'SLUICE_CLI_NOT_RELEASED',
    `${asked.name} is not released after ${asked.timeoutMs / 1000} s: ${told}`,
  );
}

/** What stands in the way of a rollout does not stand in the way of its end, so problems are left out. */
function look(sources: Sources, memory: RolloutMemory, asked: OfflineRelease, clock: Clock): Gathered | undefined {
  const gathered = gather(sources, memory, `${asked.namespace}/${asked.name}`, clock.now());
  if (!gathered) return undefined;
  const { spec } = gathered.observed;
  const ending = spec && { ...spec, onDelete: asked.onDelete ?? spec.onDelete };
  return { ...gathered, observed: { ...gathered.observed, problems: [], spec: ending } };
}

/** A gate with nobody behind it refuses to let a held Deployment run, which then would stop the release half way. */
async function refuseUnservedGate(
  client: KubeClient,
  { deployment, observed: { workload, spec, status } }: Gathered,
  signal: AbortSignal,
): Promise<void> {
  const { inFlight } = status;
  const finishing = inFlight !== undefined && (isFinishing(inFlight) || inFlight.stage === 'HandingOver');
  const runsFree = finishing || spec?.onDelete !== 'KeepHeld';
  if (!workload?.paused || !workload.marked || !workload.gateLabel || !runsFree) return;
  if (!(await gateStands(client, signal))) return;
  const { name = '' } = deployment?.metadata ?? {};
  throw new SluiceError(
    'SLUICE_CLI_GATE_UNSERVED',
    `the gate ${GATE} still stands, and refuses to let Deployment ${name} run`,
  );
}

/** Rights for a namespace do not always reach it; then the API server's own refusal says so later. */
async function gateStands(client: KubeClient, signal: AbortSignal): Promise<boolean> {
  try {
    return (await client.get(mutatingWebhookConfigurations, { name: GATE }, { signal })) !== undefined;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SLUICE_KUBE_DENIED') return false;
    throw error;
  }
}
