import { join } from 'node:path';
import { isAlive, type ProcessIdentity } from './process-identity.ts';
import { readIfThere } from './write-whole.ts';

/** What the supervisor says about one part. */
export interface PartState {
  readonly name: string;
  /** `waiting`: for what it needs. `dead`: it ended by itself and is started again soon. */
  readonly phase: 'waiting' | 'running' | 'dead';
  readonly process?: ProcessIdentity | undefined;
  /** When the present process started, in ms since 1970. */
  readonly sinceMs?: number;
  /** How often it died and came back since the cluster was started. */
  readonly restarts: number;
  readonly lastDeath?: { readonly status: string; readonly atMs: number };
}

export interface SupervisorState {
  readonly supervisor: ProcessIdentity & { readonly sinceMs: number };
  readonly parts: readonly PartState[];
}

export const stateFile = (home: string): string => join(home, 'run', 'state.json');

/** What a living supervisor says; `undefined` when there is none: its last words would mislead. */
export function supervisorState(home: string): SupervisorState | undefined {
  const text = readIfThere(stateFile(home));
  if (text === undefined) return undefined;
  const state: SupervisorState = JSON.parse(text);
  return isAlive(state.supervisor) ? state : undefined;
}

/** True when the part's process lives now, whatever was last written about it. */
export const isRunning = (part: PartState): boolean => part.phase === 'running' && isAlive(part.process);
