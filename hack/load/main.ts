// The load generator on its own, for another network namespace or a terminal; --help says how.
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from './load.ts';
import { readCommandLine, USAGE } from './options.ts';
import type { LoadReport } from './report.ts';

async function main(): Promise<void> {
  const options = readCommandLine(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return;
  }
  const asked = new AbortController();
  const end = () => asked.abort();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, end);
  const line = (type: string, facts: object) => console.log(JSON.stringify({ type, ...facts }));
  const load = startLoad({ ...options, ...(options.follow && { onSecond: (second) => line('second', second) }) });
  await waitFor(options.durationMs, asked.signal);
  const report = await load.stop();
  if (options.json) line('report', report);
  else console.log(summary(report));
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.off(name, end);
}

/** The time, or the signal if that comes first. */
async function waitFor(durationMs: number | undefined, signal: AbortSignal): Promise<void> {
  const longestMs = 2 ** 31 - 1;
  await sleep(durationMs ?? longestMs, undefined, { signal }).catch(() => {});
}

function summary(report: LoadReport): string {
  const seconds = ((report.endedAt - report.startedAt) / 1000).toFixed(1);
  const ms = ({ p50, p99, max }: LoadReport['latencyMs']) => `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
  const versions = Object.entries(report.byVersion).map(
    ([name, v]) =>
      `${name}: ${v.answered} answered, ${v.appErrors} errors, met by ${v.usersWithErrors} users; ${ms(v.latencyMs)}`,
  );
  const kinds = Object.entries(report.lostByKind).map(([kind, count]) => `${count} ${kind}`);
  return [
    `${report.sent} sent in ${seconds} s by ${report.users} users, ${report.answered} answered; ${ms(report.latencyMs)}`,
    ...versions,
    `${report.lost} lost${kinds.length > 0 ? `: ${kinds.join(', ')}` : ''}`,
  ].join('\n');
}

try {
  await main();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
