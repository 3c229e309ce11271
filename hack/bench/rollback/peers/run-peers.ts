import { seededRandom } from '../../../../src/base/random.ts';
import { printFigure } from '../figure.ts';
import type { PeerName } from './binaries.ts';
import { measurePeers } from './measure-peers.ts';

export interface RunPeersOptions {
  readonly peers: readonly PeerName[];
  /** Few of everything: to see that all works, not for figures. */
  readonly quick: boolean;
  readonly seed: number;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Measures the peers and prints their figures. */
export async function runPeers({ peers, quick, seed, report, signal }: RunPeersOptions): Promise<void> {
  const sizes = quick
    ? { inFlight: [5], breaches: 5, alone: 3, idle: 10, idleS: 30 }
    : { inFlight: [20, 50], breaches: 60, alone: 20, idle: 300, idleS: 120 };
  const figures = measurePeers({ ...sizes, peers, random: seededRandom(seed), report, signal });
  for await (const figure of figures) printFigure(figure);
}
