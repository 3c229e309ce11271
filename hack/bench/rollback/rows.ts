import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../../src/base/random.ts';
import { measureBreaches } from './breaches.ts';
import { measureDemo } from './demo-figures.ts';
import { type Figure, printFigure, quantilesOf } from './figure.ts';
import { measureIdle, untilCalm } from './idle.ts';
import { measureLeaderChanges } from './leader-changes.ts';
import { OPERATOR_USER } from './operator-process.ts';
import { measurePodDeaths } from './pod-deaths.ts';
import { measurePolling } from './polling.ts';
import { Rig, type RigOptions } from './rig.ts';
import { seedShops } from './seed.ts';
import { type Sluice, startSluice, version } from './sluice.ts';

export const rowNames = ['breach', 'interval', 'pods', 'leader', 'idle', 'flight'] as const;
export type RowName = (typeof rowNames)[number];

export interface RowsOptions {
  readonly rows: ReadonlySet<RowName>;
  readonly breaches: number;
  /** Rollouts of the rows idle and flight. */
  readonly scale: number;
  /** Whether the demo is run too. */
  readonly withCluster: boolean;
  readonly profileDir: string | undefined;
  readonly seed: number;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

const IN_FLIGHT = 50;
const DEATHS = 20;
const LEADER_CHANGES = 5;
const MEASURED_S = 120;
/** Caches and heaps find their size. */
const SETTLE_MS = 30_000;
/** How long an operator may need until it is idle. */
const CALM_MS = 600_000;

/** Measures the rows and prints their figures. Rows that can share a rig do. */
export async function runRows(options: RowsOptions): Promise<void> {
  const asked = (...names: RowName[]) => names.some((name) => options.rows.has(name));
  if (asked('breach', 'interval', 'pods', 'leader')) await withRig(options, {}, (rig) => small(rig, options));
  if (asked('idle')) await withRig(options, { audited: [OPERATOR_USER] }, (rig) => idle(rig, options));
  if (asked('flight')) await withRig(options, {}, (rig) => flight(rig, options));
  if (options.withCluster) await demo();
}

async function withRig(
  { report, signal }: RowsOptions,
  rigOptions: RigOptions,
  work: (rig: Rig) => Promise<void>,
): Promise<void> {
  report('starting etcd, the API server and the world around them');
  const rig = await Rig.start(signal, rigOptions);
  try {
    await work(rig);
  } catch (error) {
    report(`logs of the operators are in ${keepLogs(rig)}`);
    throw error;
  } finally {
    await rig.stop();
  }
}

function keepLogs({ dir }: Rig): string {
  const kept = join(tmpdir(), `sluice-bench-failed-${process.pid}`);
  mkdirSync(kept, { recursive: true });
  for (const file of readdirSync(dir)) if (file.endsWith('.log')) copyFileSync(join(dir, file), join(kept, file));
  return kept;
}

const printOf =
  (sluice: Sluice) =>
  (figure: string, measured: object, target: NonNullable<Figure['target']>, method: string): void =>
    printFigure({
      figure,
      contender: sluice.name,
      version: sluice.version,
      measured,
      target,
      method,
      settings: sluice.settings,
    });

async function small(rig: Rig, options: RowsOptions): Promise<void> {
  const { rows, report, profileDir } = options;
  await rig.startWorld();
  report(`${IN_FLIGHT} rollouts get a stable revision`);
  const sluice = await startSluice(rig, { rollouts: IN_FLIGHT, replicas: 2, interval: '1s', profileDir });
  if (rows.has('breach') || rows.has('interval')) await breaches(rig, sluice, options);
  if (rows.has('pods')) await podDeaths(rig, sluice, report);
  if (rows.has('leader')) await leaderChanges(rig, sluice, report);
  await sluice.stop();
}

async function breaches(rig: Rig, sluice: Sluice, options: RowsOptions): Promise<void> {
  const { rows, report, seed } = options;
  const scenario = { together: 20, spreadMs: 10_000, patienceMs: 60_000, random: seededRandom(seed), report };
  const done = await measureBreaches(rig, sluice, { ...scenario, breaches: options.breaches });
  const print = printOf(sluice);
  const method = `${IN_FLIGHT} rollouts in flight, 20 breaches at random moments of 10 s, a watch shows weight 0`;
  if (rows.has('breach'))
    print(
      'answer of the metric provider that spends the budget → weight 0 written, milliseconds',
      quantilesOf(done.map(({ answerToZeroMs }) => answerToZeroMs)),
      { p99: 100, max: 250 },
      `${method}; from the answer being handed to the kernel`,
    );
  if (rows.has('interval'))
    print(
      'bad sample visible → weight 0 written, interval 1 s, milliseconds',
      quantilesOf(done.map(({ visibleToZeroMs }) => visibleToZeroMs)),
      { p99: 1250 },
      `${method}; from the moment in which a query would show the bad sample`,
    );
}

async function podDeaths(rig: Rig, sluice: Sluice, report: RowsOptions['report']): Promise<void> {
  report('canary pods die');
  const keys = sluice.keys.slice(0, DEATHS);
  await sluice.ensureInFlight(keys, rig.signal);
  printOf(sluice)(
    'canary pods die → weight 0, milliseconds',
    quantilesOf(await measurePodDeaths(rig, sluice, keys)),
    { max: 1000 },
    'all pods of one canary fail their readiness probe; from a watch showing the EndpointSlice without a ready endpoint',
  );
}

async function leaderChanges(rig: Rig, sluice: Sluice, report: RowsOptions['report']): Promise<void> {
  const keys = sluice.keys.slice(-2 * LEADER_CHANGES);
  await sluice.ensureInFlight(keys, rig.signal);
  const ways = [
    { how: 'SIGTERM', figure: 'leader stopped cleanly → next decision, milliseconds', most: 3000 },
    { how: 'SIGKILL', figure: 'leader killed → next decision, milliseconds', most: 8000 },
  ] as const;
  for (const [i, { how, figure, most }] of ways.entries()) {
    report(`the leader gets ${how}`);
    const mine = keys.slice(i * LEADER_CHANGES, (i + 1) * LEADER_CHANGES);
    printOf(sluice)(
      figure,
      quantilesOf(await measureLeaderChanges(rig, sluice, mine, how)),
      { max: most },
      `${how} to the leader of two replicas; from the signal to weight 0 of an abort that only the next leader could see`,
    );
  }
}

async function idle(rig: Rig, { scale, report, profileDir }: RowsOptions): Promise<void> {
  const shape = { replicas: 10, sets: 5, interval: '10s' };
  report(`writing ${scale} shops with ${scale * shape.replicas} pods and ${scale * shape.sets} sets`);
  const sluice = await startSluice(rig, { rollouts: scale, profileDir, ...shape }, (keys) =>
    seedShops(rig, keys, { ...shape, report }),
  );
  report('all are Healthy');
  await untilCalm(rig, OPERATOR_USER, CALM_MS);
  report(`nothing is left to do; measuring for ${MEASURED_S} s`);
  printOf(sluice)(
    `${scale} idle Rollouts`,
    await measureIdle(rig, sluice, MEASURED_S),
    { callsPerMinute: 1, residentMb: 250, cpuPercent: 2 },
    `${scale * shape.replicas} pods, ${scale * shape.sets} sets, one operator that leads; calls from the audit log, outside watches and leases`,
  );
  await sluice.stop();
}

async function flight(rig: Rig, { scale, report, profileDir }: RowsOptions): Promise<void> {
  await rig.startWorld();
  report(`${scale} rollouts get a stable revision`);
  const sluice = await startSluice(rig, { rollouts: scale, replicas: 2, interval: '10s', profileDir });
  report(`${scale} new revisions`);
  await sluice.launch(sluice.keys, rig.signal);
  report(`all are in flight; measuring for ${MEASURED_S} s`);
  await delay(SETTLE_MS, undefined, { signal: rig.signal });
  printOf(sluice)(
    `${scale} Rollouts in flight at a 10 s interval`,
    await measurePolling(rig, sluice, 10_000, MEASURED_S),
    { missed: 0, cores: 1 },
    'one guardrail each, held at 20 %; instants asked for at the metric source against the schedule of each',
  );
  await sluice.stop();
}

async function demo(): Promise<void> {
  const { requestsSent, requestsLost, decisionToZeroMs, zeroToLastRequestMs } = await measureDemo();
  const about = { contender: 'Sluice', version, settings: { router: 'HTTPRoute', gateway: 'Envoy Gateway' } };
  printFigure({
    ...about,
    figure: 'weight 0 written → last new request routed to the canary by Envoy, milliseconds',
    measured: { zeroToLastRequestMs, decisionToZeroMs },
    target: { zeroToLastRequestMs: 1000 },
    method:
      'the rollback of `npm run demo`; from a watch showing weight 0 to the youngest request that the canary answered being sent',
  });
  printFigure({
    ...about,
    figure: 'requests lost in a full rollout and a rollback under load',
    measured: { requestsLost, requestsSent },
    target: { requestsLost: 0 },
    method: '`npm run demo`: keep-alive, POST and HTTP/2 clients; lost = no response, or a 5xx made by the gateway',
  });
}
