// simulation [RUNS]: checks by simulation what core/stats promises. With the default of 2,000 runs it also writes
// docs/statistics-evidence.md and its figures. Status 1 when a promise is broken.
import { mkdirSync, writeFileSync } from 'node:fs';
import { keepsPromise, type Row } from '../test/sim/stats/row.ts';
import { suite } from '../test/sim/stats/suite.ts';
import { costFigure, promisesFigure, restartFigure, safetyFigure } from './simulation/figures.ts';
import { type ChapterRows, report } from './simulation/report.ts';

const fullRuns = 2_000;
const runs = Number(process.argv[2] ?? fullRuns);
if (!Number.isInteger(runs) || runs < 1) {
  console.error(`usage: simulation [RUNS]; RUNS is a whole number, not ${process.argv[2]}`);
  process.exit(2);
}

const chapters: ChapterRows[] = suite.map((chapter) => {
  console.log(chapter.title);
  const rows = chapter.parts.flatMap((part) => part(runs));
  rows.forEach(print);
  return { chapter, rows };
});
const rows = chapters.flatMap((chapter) => chapter.rows);

if (runs === fullRuns) {
  mkdirSync('docs/figures', { recursive: true });
  writeFileSync('docs/statistics-evidence.md', report(chapters, runs));
  writeFileSync('docs/figures/promises.svg', promisesFigure(rows));
  writeFileSync('docs/figures/cost-of-looking.svg', costFigure());
  writeFileSync('docs/figures/restarts.svg', restartFigure(rows));
  writeFileSync('docs/figures/errors-until-safe.svg', safetyFigure());
}

const promised = rows.filter(({ alpha, whose }) => whose === 'ours' && alpha !== undefined);
const broken = promised.filter((row) => !keepsPromise(row));
console.log(`${promised.length - broken.length} promises kept, ${broken.length} broken`);
process.exit(broken.length === 0 ? 0 : 1);

function print(row: Row): void {
  const { scenario, method, event, count, whose, medianLooks } = row;
  const mark = keepsPromise(row) ? '' : '  BROKEN';
  const share = `${((100 * count) / row.runs).toFixed(2)} %`.padStart(9);
  const median = medianLooks === undefined ? '' : `, median look ${medianLooks}`;
  console.log(`${share}  ${whose === 'peer' ? 'peer ' : ''}${scenario}: ${method} (${event}${median})${mark}`);
}
