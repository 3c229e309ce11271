// Rollback: how fast Sluice takes a canary back, and what it costs while it has nothing to do. One JSON line a figure on standard
// output, progress on standard error. docs/benchmarks.md explains every figure.
import { parseArgs } from 'node:util';
import { optionsWith } from './harness/options.ts';
import { type PeerName, peerNames } from './rollback/peers/binaries.ts';
import { runPeers } from './rollback/peers/run-peers.ts';
import { type RowName, rowNames, runRows } from './rollback/rows.ts';

const help = `usage: npm run bench -- rollback [OPTIONS]

Starts a real etcd, API server and controller manager on loopback with a fake kubelet, gateway and metric source, and the
operator's bundle as a process of its own; prints one JSON line a figure. docs/benchmarks.md says what each means.

  --rows A,B,…     some of ${rowNames.join(', ')}; default all; or none
                     breach, interval   50 rollouts in flight, rounds of 20 breaches within 10 s (one run, two figures)
                     pods               canary pods die
                     leader             the leader is stopped, or killed
                     idle               1,000 idle Rollouts with 10,000 pods and 5,000 sets
                     flight             1,000 Rollouts in flight
  --peers A,B,…    then also ${peerNames.join(', ')}, built outside the repository when they are not there (Go; 10 minutes
                   of two idle cores); with \`--rows none\` only those
  --breaches N     at least so many for breach and interval; default 500
  --quick          40 breaches, and a tenth of the Rollouts in idle and flight: to see that all works, not for figures
  --with-cluster   then also \`npm run demo\`, for the two figures that need a real gateway (root; 10 minutes)
  --profile DIR    write CPU profiles of the operators into DIR
  --seed N         of the random moments; default 1
`;

const { mistake, numberIn } = optionsWith(help);

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: rowNames.join(',') },
    peers: { type: 'string' },
    breaches: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'with-cluster': { type: 'boolean', default: false },
    profile: { type: 'string' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(help);
} else {
  const peers = values.peers?.split(',').map(peerNamed) ?? [];
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  const startedMs = performance.now();
  const report = (text: string) =>
    process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
  await runRows({
    rows: new Set(values.rows === 'none' ? [] : values.rows.split(',').map(rowNamed)),
    breaches: numberIn('--breaches', values.breaches ?? (values.quick ? '40' : '500')),
    scale: values.quick ? 100 : 1000,
    withCluster: values['with-cluster'],
    profileDir: values.profile,
    seed: numberIn('--seed', values.seed),
    report,
    signal: stop.signal,
  });
  await runPeers({
    peers,
    quick: values.quick,
    seed: numberIn('--seed', values.seed),
    report,
    signal: stop.signal,
  });
}

function rowNamed(name: string): RowName {
  const found = rowNames.find((one) => one === name);
  return found ?? mistake(`there is no row "${name}"`);
}

function peerNamed(name: string): PeerName {
  const found = peerNames.find((one) => one === name);
  return found ?? mistake(`there is no peer "${name}"`);
}
