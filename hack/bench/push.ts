// Push: from a change of a FeatureFlag in a real API server to evaluators that run it. One JSON line a figure on standard output,
// progress on standard error. docs/benchmarks.md explains the figures.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { waitFor } from '../cluster/wait.ts';
import { machine } from './harness/measure.ts';
import { optionsWith } from './harness/options.ts';
import type { SubscriberOptions } from './push/light-subscriber.ts';
import {
  applyFlags,
  authoritiesFile,
  flagOf,
  NAMESPACE,
  propagationOf,
  type StoredRuleset,
  storedRuleset,
  tokenFile,
} from './push/place.ts';
import { figuresOf, type Round } from './push/rounds.ts';
import { Subscribers } from './push/subscriber-process.ts';
import { freePorts } from './rollback/free-ports.ts';
import { installSluice, startOperator } from './rollback/operator-process.ts';
import { Rig } from './rollback/rig.ts';

const help = `usage: npm run bench -- push [OPTIONS]

Starts a real etcd and API server on loopback, the operator's bundle, and evaluators that listen to its stream.

  --subscribers N   default 1000
  --processes N     that they are in; default 4
  --full N          of each process, do all that a sidecar does; the others share the judging; default 1
  --flags N         in the ruleset; default 200, about 80 KB
  --rounds N        changes; default 20
  --profile DIR     write a CPU profile of the operator into DIR
`;

const { numberIn } = optionsWith(help);

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '4' },
    full: { type: 'string', default: '1' },
    flags: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '20' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** Until a change has reached everyone, and until all have come at the start. */
const ROUND_MS = 60_000;
const START_MS = 300_000;
/** Between rounds, so that no round has the acknowledgements of the one before. */
const PAUSE_MS = 2_000;
/** The operator writes what was acknowledged every 10 s. */
const REPORT_MS = 30_000;

/** What the flag that the rounds change serves by default. */
let served: 'on' | 'off' = 'off';

const startedMs = performance.now();
const report = (text: string) =>
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);

if (values.help) console.log(help);
else await run();

async function run(): Promise<void> {
  const count = numberIn('--subscribers', values.subscribers);
  const [flags, rounds] = [numberIn('--flags', values.flags), numberIn('--rounds', values.rounds)];
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  report('starting etcd and the API server');
  const rig = await Rig.start(stop.signal);
  try {
    const kubeconfig = await installSluice(rig);
    const [rulesetsPort = 0] = await freePorts(1);
    const operator = await startOperator(rig, {
      kubeconfig,
      name: 'operator',
      rulesetsPort,
      profileDir: values.profile,
    });
    report(`applying ${flags} flags`);
    await applyFlags(rig, flags);
    const place = {
      address: `https://localhost:${rulesetsPort}`,
      flagSetId: NAMESPACE,
      tokenFile: await tokenFile(rig),
      caFile: await authoritiesFile(rig),
    };
    // One alone shows the way itself; then the crowd.
    for (const many of count === 1 ? [1] : [1, count]) {
      const subscribers = new Subscribers(processesOf(many, place));
      try {
        await measure(rig, subscribers, { many, rounds, flags });
      } catch (error) {
        report(`the operator said last:\n${operator.logTail()}`);
        throw error;
      } finally {
        await subscribers.stop();
      }
    }
    await operator.kill('SIGTERM');
  } finally {
    await rig.stop();
  }
}

function processesOf(count: number, place: Omit<SubscriberOptions, 'subscriber'>) {
  const processes = Math.min(count, numberIn('--processes', values.processes));
  const full = numberIn('--full', values.full);
  return Array.from({ length: processes }, (_, index) => {
    const share = Math.floor(count / processes) + (index < count % processes ? 1 : 0);
    return { ...place, name: `pod-${count}-${index}`, count: share, full: Math.min(full, share) };
  });
}

async function measure(
  rig: Rig,
  subscribers: Subscribers,
  { many, rounds, flags }: { readonly many: number; readonly rounds: number; readonly flags: number },
): Promise<void> {
  const { signal } = rig;
  const isWhole = async () => {
    const stored = await storedRuleset(rig);
    return stored?.flags === flags && subscribers.allBeyond(stored.revision - 1) && stored;
  };
  const what = `${many} subscribers running the ruleset`;
  const stored: StoredRuleset = await waitFor(isWhole, { what, timeoutMs: START_MS, signal });
  report(`${what}: ${stored.bytes} bytes`);
  const done: Round[] = [];
  for (let index = 0; index < rounds; index++) {
    await delay(PAUSE_MS, undefined, { signal });
    const before = subscribers.newest;
    const sentMs = performance.timeOrigin + performance.now();
    served = served === 'on' ? 'off' : 'on';
    await rig.apply(flagOf(0, served));
    await waitFor(async () => subscribers.allBeyond(before), {
      what: `${many} subscribers running change ${index + 1}`,
      timeoutMs: ROUND_MS,
      everyMs: 10,
      signal,
    });
    done.push({ sentMs, ran: subscribers.firstBeyond(before) });
    report(`change ${index + 1}/${rounds}`);
  }
  const status = await acknowledgedBy(rig, many);
  print(many, figuresOf(done), { rounds, bytes: stored.bytes, flags, status });
}

/** What the flag's own status says in the end: everyone has acknowledged, or as many as had after a while. */
async function acknowledgedBy(rig: Rig, many: number) {
  const all = async () => {
    const said = await propagationOf(rig, 'flag-0');
    return said?.acknowledged === many && said;
  };
  const options = { what: 'acknowledgements', timeoutMs: REPORT_MS, signal: rig.signal };
  return waitFor(all, options).catch(() => propagationOf(rig, 'flag-0'));
}

function print(
  many: number,
  { applied, worstRoundP99, issued }: ReturnType<typeof figuresOf>,
  about: { rounds: number; bytes: number; flags: number; status: unknown },
): void {
  const { rounds, bytes, flags, status } = about;
  const measured = many === 1 ? { applied, issued } : { applied, worstRoundP99, issued };
  const target = many === 1 ? { issuedP99Ms: 100 } : { worstRoundP99Ms: 1_000 };
  const met = many === 1 ? issued.p99 <= 100 : worstRoundP99 <= 1_000;
  const method =
    'milliseconds from a server-side apply being sent (applied), or the ruleset being made (issued), until subscribers run it; ' +
    `${rounds} changes of one of ${flags} flags; ${values.full} of each process judges the ruleset by itself, the others share that`;
  const settings = { subscribers: many, processes: Math.min(many, Number(values.processes)), rulesetBytes: bytes };
  const figure = many === 1 ? 'one subscriber' : 'all subscribers';
  console.log(JSON.stringify({ bench: 'push', figure, measured, target, met, status, method, settings, machine }));
}
