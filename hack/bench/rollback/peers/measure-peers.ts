import { setTimeout as delay } from 'node:timers/promises';
import { measureBreaches } from '../breaches.ts';
import type { Contender } from '../contender.ts';
import { type Figure, quantilesOf } from '../figure.ts';
import { measureIdle } from '../idle.ts';
import { Rig } from '../rig.ts';
import { ensurePeer, type PeerName } from './binaries.ts';
import { measureOutage } from './outage.ts';
import { peers, startPeer, userOf } from './start-peer.ts';

const REPLICAS = 2;
const PATIENCE_MS = 180_000;
/** What the start left to do is done: Argo Rollouts still sends events of it for more than a minute. */
const CALM_MS = 180_000;

export interface PeerOptions {
  readonly peers: readonly PeerName[];
  /** Rollouts in flight while breaches are timed: one round after the other with so many. */
  readonly inFlight: readonly number[];
  /** How many breaches are timed in bursts of 20 within 10 s, for each of `inFlight`. */
  readonly breaches: number;
  /** How many are timed one at a time beside the fewest in flight. */
  readonly alone: number;
  /** How many rollouts rest while the controller's cost is measured, and for how long. */
  readonly idle: number;
  readonly idleS: number;
  readonly random: () => number;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

interface Scenario {
  readonly inFlight: number;
  readonly together: number;
  readonly spreadMs: number;
  readonly breaches: number;
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
  const report = (text: string) => options.report(`${name}: ${text}`);
  const rig = await Rig.start(options.signal);
  try {
    const rollouts = Math.max(...options.inFlight);
    report(`making ${rollouts} rollouts`);
    await rig.startWorld();
    const peer = await startPeer(rig, name, { rollouts, replicas: REPLICAS, interval: peers[name].shortestInterval });
    for (const scenario of scenariosFor(name, options)) yield* breaches(rig, peer, scenario, { ...options, report });
    report('the metric source refuses connections');
    yield {
      figure: 'the metric source refuses connections',
      ...factsOf(peer),
      measured: await measureOutage(rig, peer),
      method: 'all canaries in flight and healthy; from the refusal to weight 0',
    };
    await peer.stop();
  } finally {
    await rig.stop();
  }
}

/** Fewest in flight first. One at a time only where the interval does not hide all that others could do to it. */
function scenariosFor(name: PeerName, options: PeerOptions): Scenario[] {
  const counts = [...options.inFlight].sort((a, b) => a - b);
  const bursts = counts.map((inFlight) => ({
    inFlight,
    together: Math.min(20, inFlight),
    spreadMs: 10_000,
    breaches: options.breaches,
  }));
  if (peers[name].shortestInterval !== '1s') return bursts;
  return [{ inFlight: Math.min(...counts), together: 1, spreadMs: 1_000, breaches: options.alone }, ...bursts];
}

async function* breaches(
  rig: Rig,
  contender: Contender,
  scenario: Scenario,
  { random, report }: Pick<PeerOptions, 'random' | 'report'>,
): AsyncGenerator<Figure> {
  const { inFlight, together, spreadMs } = scenario;
  const some = { ...contender, keys: contender.keys.slice(0, inFlight) };
  const done = await measureBreaches(rig, some, { ...scenario, patienceMs: PATIENCE_MS, random, report });
  const when =
    together === 1 ? 'one breach at a time' : `${together} breaches at random moments of ${spreadMs / 1000} s`;
  const method = `${inFlight} rollouts in flight, ${when}, a watch shows weight 0`;
  yield {
    figure: 'answer of the metric provider that spends the budget → weight 0 written, milliseconds',
    ...factsOf(contender),
    measured: quantilesOf(done.map(({ answerToZeroMs }) => answerToZeroMs)),
    method: `${method}; from the first bad answer being handed to the kernel`,
  };
  yield {
    figure: `bad sample visible → weight 0 written, interval ${contender.settings.interval}, milliseconds`,
    ...factsOf(contender),
    measured: quantilesOf(done.map(({ visibleToZeroMs }) => visibleToZeroMs)),
    method: `${method}; from the moment in which a query would show the bad sample`,
  };
}

async function atRest(name: PeerName, { idle, idleS, report, signal }: PeerOptions): Promise<Figure> {
  const rig = await Rig.start(signal, { audited: [userOf(name)] });
  try {
    report(`${name}: making ${idle} rollouts`);
    await rig.startWorld();
    const fleet = { rollouts: idle, replicas: REPLICAS, interval: peers[name].defaultInterval };
    const contender = await startPeer(rig, name, fleet);
    report(`${name}: all rest; measuring for ${idleS} s`);
    await delay(CALM_MS, undefined, { signal });
    const measured = await measureIdle(rig, contender, idleS);
    await contender.stop();
    const method = `${REPLICAS * idle} pods, nothing to do; calls from the audit log, outside watches and leases`;
    return { figure: `${idle} idle rollouts`, ...factsOf(contender), measured, method };
  } finally {
    await rig.stop();
  }
}

const factsOf = ({ name, version, settings }: Contender) => ({ contender: name, version, settings });
