import { type Breach, type BreachOptions, measureBreaches } from '../breaches.ts';
import type { Contender } from '../contender.ts';
import { type Figure, quantilesOf } from '../figure.ts';
import { measureIdle } from '../idle.ts';
import { Rig } from '../rig.ts';
import { ensurePeer, type PeerName } from './binaries.ts';
import { measureOutage } from './outage.ts';
import { peers, startPeer, userOf } from './start-peer.ts';

const REPLICAS = 2;
const PATIENCE_MS = 120_000;
/** Breaches one at a time begin at random within this, so at no fixed phase of their intervals. */
const ALONE_SPREAD_MS = 1_000;

export interface PeerOptions {
  readonly peers: readonly PeerName[];
  /** Rollouts in flight while breaches are timed. */
  readonly rollouts: number;
  /** How many breaches are timed one at a time. */
  readonly alone: number;
  /** How many are timed in bursts, `together` of them within `spreadMs`. */
  readonly inBursts: number;
  readonly together: number;
  readonly spreadMs: number;
  /** How many rollouts rest while the controller's cost is measured, and for how long. */
  readonly idle: number;
  readonly idleS: number;
  readonly random: () => number;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Builds the peers where needed and measures one after the other, on one rig for what is in flight and another for rest. */
export async function* measurePeers(options: PeerOptions): AsyncGenerator<Figure> {
  for (const name of options.peers) await ensurePeer(name, options.signal, options.report);
  for (const name of options.peers) {
    yield* inFlight(name, options);
    yield await atRest(name, options);
  }
}

async function* inFlight(name: PeerName, options: PeerOptions): AsyncGenerator<Figure> {
  const { rollouts, alone, inBursts, together, spreadMs, random } = options;
  const report = (text: string) => options.report(`${name}: ${text}`);
  const rig = await Rig.start(options.signal);
  try {
    report(`making ${rollouts} rollouts`);
    await rig.startWorld();
    const interval = peers[name].shortestInterval;
    const contender = await startPeer(rig, name, { rollouts, replicas: REPLICAS, interval });
    const common = { patienceMs: PATIENCE_MS, random, report };
    const single: BreachOptions = { ...common, breaches: alone, together: 1, spreadMs: ALONE_SPREAD_MS };
    yield breachFigure(contender, single, await measureBreaches(rig, contender, single));
    const bursts: BreachOptions = { ...common, breaches: inBursts, together, spreadMs };
    yield breachFigure(contender, bursts, await measureBreaches(rig, contender, bursts));
    report('the metric source refuses connections');
    yield {
      figure: 'metric source refuses connections',
      ...factsOf(contender),
      measured: await measureOutage(rig, contender),
      method: 'all canaries are in flight and healthy; seconds from the first refused connection to weight 0',
    };
    await contender.stop();
  } finally {
    await rig.stop();
  }
}

async function atRest(name: PeerName, { idle, idleS, report, signal }: PeerOptions): Promise<Figure> {
  const rig = await Rig.start(signal, { audited: [userOf(name)] });
  try {
    report(`${name}: making ${idle} rollouts`);
    await rig.startWorld();
    const interval = peers[name].defaultInterval;
    const contender = await startPeer(rig, name, { rollouts: idle, replicas: REPLICAS, interval });
    report(`${name}: ${idle} rollouts at rest for ${idleS} s`);
    const measured = await measureIdle(rig, contender, idleS);
    await contender.stop();
    const method = `${idle} rollouts with nothing to do`;
    return { figure: 'idle', ...factsOf(contender), measured, method };
  } finally {
    await rig.stop();
  }
}

function breachFigure(contender: Contender, options: BreachOptions, breaches: readonly Breach[]): Figure {
  const { together, spreadMs } = options;
  const when = together === 1 ? 'one at a time' : `${together} at random moments within ${spreadMs / 1000} s`;
  const measured = {
    answerToZeroMs: quantilesOf(breaches.map(({ answerToZeroMs }) => answerToZeroMs)),
    visibleToZeroMs: quantilesOf(breaches.map(({ visibleToZeroMs }) => visibleToZeroMs)),
  };
  const method = `${contender.keys.length} rollouts in flight, ${when}; first bad answer written → weight 0 seen by a watch`;
  return { figure: `breach, ${together === 1 ? 'alone' : 'in bursts'}`, ...factsOf(contender), measured, method };
}

const factsOf = ({ name, version, settings }: Contender) => ({ contender: name, version, settings });
