import { type Clock, sleep } from '../base/clock.ts';
import { type Lease, leases } from '../kube/builtins.ts';
import type { KubeClient } from '../kube/client.ts';
import { LEADER_LEASE } from './installation.ts';

/** A lease runs out within this unless it says otherwise. */
const DEFAULT_LEASE_S = 6;
const MARGIN_MS = 1_000;

/**
 * Who leads, where an operator is alive: its identity. Clocks are not compared; a Lease that has a holder is looked at
 * again after it should have been renewed.
 */
export async function findLiveOperator(
  { client, clock }: { readonly client: KubeClient; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string | undefined> {
  const read = async () =>
    (await client.list(leases, { fieldSelector: `metadata.name=${LEADER_LEASE}` }, { signal })).items;
  const held = (await read()).filter(({ spec }) => spec?.holderIdentity);
  if (held.length === 0) return undefined;
  const durations = held.map(({ spec }) => spec?.leaseDurationSeconds ?? DEFAULT_LEASE_S);
  await sleep(clock, Math.max(...durations) * 1_000 + MARGIN_MS, signal);
  const before = new Map(held.map((lease) => [idOf(lease), lease.spec?.renewTime]));
  const live = (await read()).find(
    (lease) => lease.spec?.holderIdentity && before.get(idOf(lease)) !== lease.spec.renewTime,
  );
  return live?.spec?.holderIdentity;
}

const idOf = ({ metadata }: Lease): string => metadata.uid ?? '';
