import { BUCKETS, type Ranges } from '../../wire/draw.ts';

type Range = readonly [from: number, to: number];

/**
 * Ranges of exactly `wanted` buckets (0..10000) that keep what they can of `held`: growing appends the lowest free
 * buckets, shrinking gives back the newest first, so that nobody who was in leaves during a ramp, and who came last
 * goes first. `held` is in the order of growth, oldest first; `taken` is what others hold (of the same layer).
 * Undefined when too few buckets are free.
 */
export function resizeAdmission(held: Ranges, wanted: number, taken: Ranges = []): Ranges | undefined {
  const size = sizeOf(held);
  if (wanted <= size) return shrunk(held, wanted);
  const more = lowestFree([...held, ...taken], wanted - size);
  return more && joined([...held, ...more]);
}

/** Buckets in ranges that do not overlap. */
export function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((size, [from, to]) => size + (to - from), 0);
}

function shrunk(held: Ranges, wanted: number): Ranges {
  let left = wanted;
  const kept: [number, number][] = [];
  for (const [from, to] of held) {
    if (left <= 0) break;
    const end = Math.min(to, from + left);
    kept.push([from, end]);
    left -= end - from;
  }
  return kept;
}

function lowestFree(busy: readonly Range[], wanted: number): Range[] | undefined {
  const free: Range[] = [];
  let left = wanted;
  let from = 0;
  for (const [start, end] of [...busy, [BUCKETS, BUCKETS] as const].sort(([one], [other]) => one - other)) {
    const to = Math.min(start, from + left);
    if (to > from) {
      free.push([from, to]);
      left -= to - from;
    }
    if (left <= 0) return free;
    from = Math.max(from, end);
  }
  return undefined;
}

/** A range that goes on where the one before it ends is one with it; order is kept, because it says who came last. */
function joined(ranges: readonly Range[]): Ranges {
  const result: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = result.at(-1);
    if (last && last[1] === from) last[1] = to;
    else result.push([from, to]);
  }
  return result;
}
