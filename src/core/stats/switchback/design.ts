import type { Random } from '../../../base/random.ts';
import { requireCount, statsError } from '../errors.ts';

/**
 * A minimax switchback design (Bojinov, Simchi-Levi, Zhao 2023; §2.18): `blocks` · `carryOver` periods; a fair coin is thrown
 * at periods 0, 2m, 3m, …, (blocks − 2) m, so that the first and the last stretch are 2m long.
 */
export interface SwitchbackDesign {
  /** n ≥ 4. */
  readonly blocks: number;
  /** m ≥ 1: periods for which an assignment still acts. */
  readonly carryOver: number;
}

export function requireDesign({ blocks, carryOver }: SwitchbackDesign): void {
  if (requireCount('blocks', blocks) < 4 || requireCount('carryOver', carryOver) < 1) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'a switchback needs 4 blocks and a carry-over of 1 period', {
      blocks,
      carryOver,
    });
  }
}

/** The blocks (0-based) at which a coin is thrown: 0, 2, 3, …, blocks − 2. */
export function coinBlocks(design: SwitchbackDesign): readonly number[] {
  requireDesign(design);
  return [0, ...Array.from({ length: design.blocks - 3 }, (_, i) => i + 2)];
}

/** The coin that decides block k: blocks 0 and 1 share one, as do the last two. */
export function coinOfBlock({ blocks }: SwitchbackDesign, block: number): number {
  return Math.min(Math.max(0, requireCount('block', block) - 1), requireCount('blocks', blocks) - 3);
}

/** Assignment of each period from the coins (blocks − 2 of them). */
export function assignmentOf(design: SwitchbackDesign, coins: readonly boolean[]): readonly boolean[] {
  requireDesign(design);
  if (coins.length !== design.blocks - 2) {
    throw statsError('SLUICE_STATS_ARGUMENT', `the design throws ${design.blocks - 2} coins`, { coins: coins.length });
  }
  const periods = design.blocks * design.carryOver;
  return Array.from(
    { length: periods },
    (_, t) => coins[coinOfBlock(design, Math.floor(t / design.carryOver))] as boolean,
  );
}

/** A random assignment, true = treatment. */
export function drawAssignment(design: SwitchbackDesign, random: Random): readonly boolean[] {
  return assignmentOf(
    design,
    coinBlocks(design).map(() => random() < 0.5),
  );
}
