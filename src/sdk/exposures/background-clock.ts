import type { Clock } from '../../base/clock.ts';
import type { EpochMs } from '../../base/units.ts';

/** The machine's own time, in Node and browsers. Its timers hold no process back from ending. */
export const backgroundClock: Clock = {
  now: () => Date.now() as EpochMs,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    if (typeof timer === 'object') timer.unref(); // browsers have numbers
    return () => clearTimeout(timer);
  },
};
