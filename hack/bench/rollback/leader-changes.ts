import { randomUUID } from 'node:crypto';
import { ACTION_ANNOTATION } from '../../../src/api/action.ts';
import { rolloutsResource } from '../../../src/controllers/rollout/sources.ts';
import { leases } from '../../../src/kube/builtins.ts';
import { waitFor } from '../../cluster/wait.ts';
import type { Child } from './child.ts';
import { OPERATOR_NAMESPACE } from './operator-process.ts';
import type { Rig } from './rig.ts';
import { split } from './shop.ts';
import type { Sluice } from './sluice.ts';

const LEASE = { namespace: OPERATOR_NAMESPACE, name: 'sluice-operator' };
const PATIENCE_MS = 60_000;

/**
 * Ends the leader of two replicas by this signal, once for each rollout, and asks for an abort as soon as the old leader
 * cannot act on it any more. Answers milliseconds from the signal to weight 0, which the new leader decided and wrote.
 */
export async function measureLeaderChanges(
  rig: Rig,
  sluice: Sluice,
  keys: readonly string[],
  how: 'SIGTERM' | 'SIGKILL',
): Promise<number[]> {
  const tookMs: number[] = [];
  for (const key of keys) {
    while (sluice.operators.length < 2) await sluice.addOperator();
    tookMs.push(await change(rig, sluice, key, how));
  }
  return tookMs;
}

async function change(rig: Rig, sluice: Sluice, key: string, how: 'SIGTERM' | 'SIGKILL'): Promise<number> {
  const limit = AbortSignal.any([rig.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const leader = await leaderOf(rig, sluice, limit);
  const holder = await holderOf(rig);
  const zero = sluice.weights.reaches(key, (percent) => percent === 0, limit);
  const startMs = performance.now();
  const gone = sluice.end(leader, how);
  if (how === 'SIGKILL') await gone;
  else
    await waitFor(async () => (await holderOf(rig)) !== holder, {
      what: 'the lease being given back',
      timeoutMs: PATIENCE_MS,
      everyMs: 20,
      signal: limit,
    });
  await askAbort(rig, key);
  const zeroMs = await zero;
  await gone;
  return zeroMs - startMs;
}

async function leaderOf(rig: Rig, { operators }: Sluice, signal: AbortSignal): Promise<Child> {
  const find = async () => {
    const holder = await holderOf(rig);
    return operators.find(({ pid }) => holder?.includes(`_${pid}_`));
  };
  return waitFor(find, { what: 'one of the operators leading', timeoutMs: PATIENCE_MS, signal });
}

const holderOf = async ({ client, signal }: Rig): Promise<string | undefined> =>
  (await client.get(leases, LEASE, { signal }))?.spec?.holderIdentity;

async function askAbort({ client, signal }: Rig, key: string): Promise<void> {
  const action = JSON.stringify({ id: randomUUID(), action: 'abort', reason: 'the leader is gone', by: 'bench' });
  const merge = { metadata: { annotations: { [ACTION_ANNOTATION]: action } } };
  await client.patch(rolloutsResource, split(key), { merge }, { signal });
}
