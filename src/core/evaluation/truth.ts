/** Kleene's three values as numbers, because they are made on the hot path: 0 false, 1 true, 2 unknown. */
export type Truth = 0 | 1 | 2;
export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

/** The evaluation context as it is read: own or inherited makes no difference, because no method is a value of JSON. */
export type Context = Readonly<Record<string, unknown>>;

/** A compiled condition. */
export type Test = (context: Context, nowMs: number) => Truth;

export const truthOf = (holds: boolean): Truth => (holds ? TRUE : FALSE);

const not = (truth: Truth): Truth => (truth === UNKNOWN ? UNKNOWN : truth === TRUE ? FALSE : TRUE);

export function negation(test: Test): Test {
  return (context, nowMs) => not(test(context, nowMs));
}

/** Any false is false, else any unknown is unknown. Of nothing it is true. */
export function conjunction(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first !== undefined && tests.length === 1) return first;
  if (first !== undefined && second !== undefined && tests.length === 2) {
    return (context, nowMs) => {
      const one = first(context, nowMs);
      if (one === FALSE) return FALSE;
      const other = second(context, nowMs);
      return other === FALSE ? FALSE : one === UNKNOWN ? UNKNOWN : other;
    };
  }
  return (context, nowMs) => {
    let result: Truth = TRUE;
    for (const test of tests) {
      const truth = test(context, nowMs);
      if (truth === FALSE) return FALSE;
      if (truth === UNKNOWN) result = UNKNOWN;
    }
    return result;
  };
}

/** Any true is true, else any unknown is unknown. Of nothing it is false. */
export function disjunction(tests: readonly Test[]): Test {
  const [first] = tests;
  if (first !== undefined && tests.length === 1) return first;
  return (context, nowMs) => {
    let result: Truth = FALSE;
    for (const test of tests) {
      const truth = test(context, nowMs);
      if (truth === TRUE) return TRUE;
      if (truth === UNKNOWN) result = UNKNOWN;
    }
    return result;
  };
}
