/** What the demo of flags measured; times in milliseconds. */
export interface FlagFigures {
  /** From before each write until the slower of two pods answered by it. */
  readonly changeMs: readonly number[];
  readonly killMs: number;
  /** Pods that answer by what they found at their start, with no operator. */
  readonly startedWithout: number;
  /** From the scaling to four pods until all four answer, with no operator. */
  readonly scaleUpMs: number;
  /** From the first operator being ready until all four answer by what was changed meanwhile. */
  readonly backMs: number;
  readonly asked: number;
  readonly unanswered: number;
}

/** The numbers in words, and whether they are what was promised: every question answered. */
export function flagSummary(figures: FlagFigures): { readonly text: string; readonly good: boolean } {
  const { changeMs, killMs, startedWithout, scaleUpMs, backMs, asked, unanswered } = figures;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(3)} s`;
  const lines = [
    ['questions answered', String(asked)],
    ['questions without an answer', String(unanswered)],
    ['flag changed → both pods answer by it', changeMs.map(seconds).join(', ')],
    ['kill switch → both pods', seconds(killMs)],
    ['without operator: two more pods → all four answer', seconds(scaleUpMs)],
    ['pods that then answered by the ruleset of the ConfigMap or their last good one', String(startedWithout)],
    ['operator ready again → all four answer by what was changed meanwhile', seconds(backMs)],
  ] as const;
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  return { text, good: unanswered === 0 && startedWithout > 0 };
}
