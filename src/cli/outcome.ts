import type { InFlight, RolloutStatus } from '../api/rollout-status.ts';
import type { EpochMs } from '../base/units.ts';

/** What the caller waits for: the Deployment as it stood when the command began. */
export interface Waited {
  /** metadata.generation of the Deployment then. */
  readonly generation: number;
  readonly since: EpochMs;
  /** The rollout that was last seen in flight. */
  readonly flight?: Pick<InFlight, 'hash' | 'generation'> | undefined;
}

/** The Deployment as it stands now. */
export interface Holding {
  /** It carries the gate's marker, which stands from the write of a new template to the hand-over. */
  readonly held: boolean;
  /** The Rollout is in mode Act. In mode Observe nothing is ever held. */
  readonly acts: boolean;
}

export type Outcome =
  | { readonly kind: 'Open'; readonly waited: Waited }
  | { readonly kind: 'Promoted' | 'RolledBack' | 'Superseded' };

/** The operator begins within milliseconds; a status that may still tell of an older template is believed after this. */
export const NOTICE_MS = 10_000;

/** How what is waited for ended, if it did. */
export function outcomeOf(status: RolloutStatus, { held, acts }: Holding, waited: Waited, now: EpochMs): Outcome {
  if (status.inFlight) return inFlightOutcome(status.inFlight, waited);
  const { flight } = waited;
  if (flight && flight.generation >= waited.generation) return { kind: endOf(status, flight.hash) };
  const noticed = now >= waited.since + NOTICE_MS;
  if (!noticed && (status.rolledBack || !acts)) return { kind: 'Open', waited };
  if (status.rolledBack) return { kind: 'RolledBack' };
  // Held and nothing in flight: it is about to begin. Not held: the template that was asked for runs as stable.
  return !held && status.phase === 'Healthy' ? { kind: 'Promoted' } : { kind: 'Open', waited };
}

function endOf({ stable, rolledBack }: RolloutStatus, hash: string): 'Promoted' | 'RolledBack' | 'Superseded' {
  if (stable?.hash === hash) return 'Promoted';
  return rolledBack?.hash === hash ? 'RolledBack' : 'Superseded';
}

/** A rollout that began before the generation we wait for may give way to ours; one that began with it may not. */
function inFlightOutcome({ hash, generation }: InFlight, waited: Waited): Outcome {
  const { flight } = waited;
  const ours = flight !== undefined && flight.generation >= waited.generation;
  if (ours && flight.hash !== hash) return { kind: 'Superseded' };
  return { kind: 'Open', waited: { ...waited, flight: { hash, generation } } };
}
