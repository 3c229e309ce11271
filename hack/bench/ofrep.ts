// OFREP over loopback: the sidecar on one core beside flagd on the same core, asked by wrk from another, in turn. One JSON line a
// figure on standard output, progress on standard error. docs/benchmarks.md explains the figures.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { succeeds } from '../cluster/command.ts';
import { machine } from './harness/measure.ts';
import { optionsWith } from './harness/options.ts';
import { compare } from './ofrep/compare.ts';
import { bodies, FLAG_COUNT } from './ofrep/flags.ts';
import { MODES, type Mode, measureRounds } from './ofrep/measure.ts';
import { expectSameWork, flagdPath, memoryMb, type Server, startFlagd, startOurs } from './ofrep/servers.ts';
import { CONNECTIONS } from './ofrep/wrk.ts';

const help = `usage: npm run bench -- ofrep [OPTIONS]

Needs wrk and taskset (Debian: apt-get install wrk util-linux), two cores, and flagd (docs/benchmarks-peers.md).

  --runs N        runs of each server and mode; default 5
  --seconds N     of one run; default 10
  --mode NAME     single or bulk; default both
  --flagd FILE    its binary; default ${flagdPath()}
  --without-peer  only ours
  --profile DIR   write a CPU profile of ours into DIR
`;

const { mistake, numberIn } = optionsWith(help);

/** How the figures must lie beside the peer's (docs/benchmarks.md). */
const TARGETS: Readonly<Record<Mode, { readonly timesPeer: number; readonly p99Share?: number }>> = {
  single: { timesPeer: 2, p99Share: 0.5 },
  bulk: { timesPeer: 5 },
};

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    mode: { type: 'string' },
    flagd: { type: 'string' },
    'without-peer': { type: 'boolean', default: false },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [SERVER_CORE, WRK_CORE] = [0, 1];

if (values.help) console.log(help);
else await run();

async function run(): Promise<void> {
  const [rounds, seconds] = [numberIn('--runs', values.runs), numberIn('--seconds', values.seconds)];
  const modes = MODES.filter((mode) => values.mode === undefined || values.mode === mode);
  if (modes.length === 0) mistake('--mode must be single or bulk');
  if (availableParallelism() < 2) mistake('two cores are needed');
  if (!(await succeeds('which', ['wrk', 'taskset']))) mistake('wrk and taskset are needed');
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  const { signal } = stop;
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-ofrep-'));
  const servers: Server[] = [];
  try {
    const place = { dir, core: SERVER_CORE, signal };
    const ours = await startOurs(place, values.profile);
    servers.push(ours);
    const peer = values['without-peer'] ? undefined : await startFlagd(place, values.flagd ?? flagdPath());
    if (peer) servers.push(peer);
    await expectSameWork(servers, bodies().slice(0, 99));
    const report = (text: string) => process.stderr.write(`${text}\n`);
    for (const mode of modes) {
      const options = { mode, rounds, seconds, wrkCore: WRK_CORE, dir, report, signal };
      printComparison(mode, compare(await measureRounds(ours, peer, options)), { ours, peer, rounds, seconds });
    }
    printMemory(ours, peer);
  } finally {
    await Promise.all(servers.map(({ child }) => child.kill('SIGTERM')));
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Both {
  readonly ours: Server;
  readonly peer: Server | undefined;
}

function printComparison(
  mode: Mode,
  { measured, peer: seen, timesPeer, p99Share }: ReturnType<typeof compare>,
  { ours, peer, rounds, seconds }: Both & { readonly rounds: number; readonly seconds: number },
): void {
  const target = TARGETS[mode];
  const isFast = timesPeer !== undefined && timesPeer >= target.timesPeer;
  const isEven = target.p99Share === undefined || (p99Share !== undefined && p99Share <= target.p99Share);
  const asked = mode === 'bulk' ? `${FLAG_COUNT} flags in one request` : `one of ${FLAG_COUNT} flags a request`;
  const method = `${asked}, each a split behind two conditions; one core, wrk with ${CONNECTIONS} kept connections from another; medians of ${rounds} runs of ${seconds} s, in turn`;
  const beside = peer && {
    peer: { ...named(peer), measured: seen },
    timesPeer,
    p99Share,
    target,
    met: isFast && isEven,
  };
  print(mode, { ...named(ours), measured, ...beside, method });
}

function printMemory(ours: Server, peer: Server | undefined): void {
  const measured = memoryMb(ours.child.pid);
  const theirs = peer && memoryMb(peer.child.pid);
  const met = theirs && { target: { residentMb: theirs.residentMb }, met: measured.residentMb <= theirs.residentMb };
  const beside = peer && { peer: { ...named(peer), measured: theirs }, ...met };
  print('memory', { ...named(ours), measured, ...beside, method: 'after all runs, megabytes (10^6)' });
}

function named({ name, version, settings }: Server) {
  return { contender: name, version, settings };
}

function print(figure: string, line: object): void {
  console.log(JSON.stringify({ bench: 'ofrep', figure, ...line, machine }));
}
