// core/stats beside PyPI's gbstats and scipy, for the same analyses from the same sums in the same run: one JSON line a figure, with
// median microseconds an analysis on both sides (loops inside one warm process) and the largest relative difference of the answers.
import { machine, microsecondsPerCall, repetitionMs, repetitions } from './harness/measure.ts';
import { analyses, cases } from './stats/analyses.ts';
import { askPeers } from './stats/python-peers.ts';

// The peers first, then we: one after the other, so that nobody takes the other's core.
const { versions, figures } = askPeers({ cases, repetitions, repetitionMs });
const method = `median of ${repetitions} repetitions of at least ${repetitionMs} ms over ${cases.length} inputs`;
for (const [analysis, analyse] of Object.entries(analyses)) {
  const ours = cases.map(analyse);
  const microseconds = microsecondsPerCall(() => cases.forEach(analyse), cases.length);
  const peers = figures
    .filter((figure) => figure.analysis === analysis)
    .map(({ peer, microseconds: peerMicroseconds, results }) => ({
      peer,
      microseconds: rounded(peerMicroseconds),
      largestRelativeDifference: rounded(Math.max(...results.map((row, i) => largestDifference(row, ours[i] ?? [])))),
    }));
  const figure = { bench: 'stats', analysis, microseconds: rounded(microseconds), peers };
  console.log(JSON.stringify({ ...figure, method, machine: { ...machine, ...versions } }));
}

/** Over the numbers that the peer gives. */
function largestDifference(theirs: readonly number[], ours: readonly number[]): number {
  return Math.max(...theirs.map((value, i) => relativeDifference(value, ours[i] ?? Number.NaN)));
}

function relativeDifference(a: number, b: number): number {
  return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
