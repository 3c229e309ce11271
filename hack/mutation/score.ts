/** Per cent of mutants that core/stats promises its tests to notice. */
export const leastScore = 85;

/** How the mutants of a file ended. */
export interface Outcomes {
  /** A test failed. */
  readonly killed: number;
  /** The code ran a hundred times as often as without the mutant, or did not end. */
  readonly timeout: number;
  /** All tests that reach it passed. */
  readonly survived: number;
  /** No test reaches it. */
  readonly unreached: number;
}

/** Of a file in which nothing can be changed. */
export const noOutcomes: Outcomes = { killed: 0, timeout: 0, survived: 0, unreached: 0 };
const kindOf: Readonly<Record<string, keyof Outcomes>> = {
  Killed: 'killed',
  Timeout: 'timeout',
  Survived: 'survived',
  NoCoverage: 'unreached',
};

/** Outcomes by file name. A status that is neither noticed nor missed (the mutant did not even load) must not happen: it throws. */
export function countOutcomes(
  mutants: Iterable<{ readonly fileName: string; readonly status: string }>,
): Record<string, Outcomes> {
  const files: Record<string, Outcomes> = {};
  for (const { fileName, status } of mutants) {
    const kind = kindOf[status];
    if (kind === undefined) throw new Error(`a mutant of ${fileName} ended as ${status}`);
    const before = files[fileName] ?? noOutcomes;
    files[fileName] = { ...before, [kind]: before[kind] + 1 };
  }
  return files;
}

export function sumOutcomes(all: Iterable<Outcomes>): Outcomes {
  return [...all].reduce(
    (sum, one) => ({
      killed: sum.killed + one.killed,
      timeout: sum.timeout + one.timeout,
      survived: sum.survived + one.survived,
      unreached: sum.unreached + one.unreached,
    }),
    noOutcomes,
  );
}

export function mutantsOf({ killed, timeout, survived, unreached }: Outcomes): number {
  return killed + timeout + survived + unreached;
}

/** Noticed mutants in per cent of all; 100 when there is none. */
export function scoreOf(outcomes: Outcomes): number {
  const mutants = mutantsOf(outcomes);
  return mutants === 0 ? 100 : (100 * (outcomes.killed + outcomes.timeout)) / mutants;
}
