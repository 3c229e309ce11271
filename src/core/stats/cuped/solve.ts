/** A pivot below this share of its diagonal means that the covariate repeats the ones before it. */
const smallestPivot = 1e-10;

/**
 * Solves the symmetric positive semi-definite system A x = b by Gaussian elimination. A component that is constant, or a
 * combination of earlier ones, gets 0: it adds nothing.
 */
export function solveSymmetric(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const size = b.length;
  const rows = a.map((row, i) => [...row, b[i] as number]);
  const diagonal = a.map((row, i) => row[i] as number);
  const used = diagonal.map(() => true);
  for (let i = 0; i < size; i++) {
    const pivotRow = rows[i] as number[];
    const pivot = pivotRow[i] as number;
    if (!(pivot > smallestPivot * (diagonal[i] as number))) {
      used[i] = false;
      continue;
    }
    for (let k = i + 1; k < size; k++) {
      const row = rows[k] as number[];
      const factor = (row[i] as number) / pivot;
      for (let j = i; j <= size; j++) row[j] = (row[j] as number) - factor * (pivotRow[j] as number);
    }
  }
  return substituteBack(rows, used);
}

function substituteBack(rows: readonly (readonly number[])[], used: readonly boolean[]): number[] {
  const size = rows.length;
  const x = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    if (!used[i]) continue;
    const row = rows[i] as readonly number[];
    let rest = row[size] as number;
    for (let j = i + 1; j < size; j++) rest -= (row[j] as number) * (x[j] as number);
    x[i] = rest / (row[i] as number);
  }
  return x;
}
