import { requireCount, statsError } from '../errors.ts';
import { chiSquareSf } from '../special/chi-square.ts';

export interface ChiSquareTest {
  readonly statistic: number;
  readonly df: number;
  readonly pValue: number;
}

/**
 * Pearson's chi-square test that the rows of a table of counts have the same shares (arms × outcomes). Empty columns are
 * left out; fewer than two rows or columns with counts throw SLUICE_STATS_TOO_FEW. Good when expected counts are 5 or more.
 */
export function independenceTest(table: readonly (readonly number[])[]): ChiSquareTest {
  const columns = table[0]?.length ?? 0;
  if (table.some((row) => row.length !== columns)) {
    throw statsError('SLUICE_STATS_ARGUMENT', 'all rows of a table must have the same length', { columns });
  }
  for (const count of table.flat()) requireCount('count', count);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const rowTotals = table.map(sum);
  const columnTotals = Array.from({ length: columns }, (_, j) => sum(table.map((row) => row[j] as number)));
  const total = sum(rowTotals);
  const usedRows = rowTotals.filter((count) => count > 0).length;
  const usedColumns = columnTotals.filter((count) => count > 0).length;
  if (usedRows < table.length || usedRows < 2 || usedColumns < 2) {
    throw statsError('SLUICE_STATS_TOO_FEW', 'each arm needs counts, in at least two outcomes', {
      usedRows,
      usedColumns,
    });
  }
  let statistic = 0;
  for (const [i, row] of table.entries()) {
    for (const [j, count] of row.entries()) {
      const expected = (rowTotals[i] as number) * ((columnTotals[j] as number) / total);
      if (expected > 0) statistic += (count - expected) ** 2 / expected;
    }
  }
  const df = (usedRows - 1) * (usedColumns - 1);
  return { statistic, df, pValue: chiSquareSf(statistic, df) };
}
