// core/evaluation beside the npm evaluators of flagd, GrowthBook and Unleash: one flag with a split and two conditions, the
// context built per call. One JSON line an evaluator with median nanoseconds and bytes of heap an evaluation; interleaved, so that
// a busy moment of a shared machine is everybody's.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ours } from './evaluate/ours.ts';
import { peers } from './evaluate/peers.ts';
import { callOver, type Evaluator, sampleSize } from './evaluate/subject.ts';
import { machine, microsecondsPerCall } from './harness/measure.ts';

const ROUNDS = 5;
/** Few enough evaluations that no collection falls among them, by the size of a fresh nursery. */
const BYTES_BATCH = 1_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const evaluators = [ours(), ...(await peers())];
const nanoseconds = new Map<string, number[]>(evaluators.map(({ name }) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, evaluate } of evaluators) {
    const call = callOver(evaluate);
    nanoseconds.get(name)?.push(1_000 * microsecondsPerCall(call, sampleSize));
  }
}
for (const evaluator of evaluators) {
  const times = nanoseconds.get(evaluator.name) as number[];
  console.log(
    JSON.stringify({
      bench: 'evaluate',
      evaluator: evaluator.name,
      version: evaluator.version,
      nanoseconds: Math.round(median(times)),
      range: [Math.min(...times), Math.max(...times)].map(Math.round),
      bytes: Math.round(bytesPerCall(evaluator)),
      share: shareOf(evaluator),
      method: `median of ${ROUNDS} interleaved runs over ${sampleSize} users`,
      machine,
    }),
  );
}
process.exit(0); // peers keep timers

function bytesPerCall({ evaluate }: Evaluator): number {
  const call = callOver(evaluate, BYTES_BATCH);
  const deltas = Array.from({ length: 51 }, () => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    call();
    return process.memoryUsage().heapUsed - before;
  });
  return median(deltas) / BYTES_BATCH;
}

/** Share of `true`: near a half for all, or they do not do the same work. */
function shareOf({ evaluate }: Evaluator): number {
  return Number((callOver(evaluate)() / sampleSize).toFixed(3));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
