import { highestShare, keepsPromise, type Row } from '../../test/sim/stats/row.ts';
import type { Chapter } from '../../test/sim/stats/suite.ts';

export interface ChapterRows {
  readonly chapter: Chapter;
  readonly rows: readonly Row[];
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** docs/statistics-evidence.md. */
export function report(chapters: readonly ChapterRows[], runs: number): string {
  const rows = chapters.flatMap((chapter) => chapter.rows);
  const promised = rows.filter(({ alpha, whose }) => whose === 'ours' && alpha !== undefined);
  const broken = promised.filter((row) => !keepsPromise(row));
  return [
    '# What the statistics promise, and what simulation shows',
    '',
    `Written by \`npm run test:simulation\` (${runs.toLocaleString('en')} runs a row, fixed seeds: the same command writes the same file). A row`,
    'counts the runs in which something happened at **any** look. "Promise" is the level that the method claims; "allowed" adds 3.1',
    'standard errors, which a sound method exceeds once in a thousand rows. Rows marked *peer* show what a common other method does on the',
    'same data; they are not part of Sluice.',
    '',
    `${promised.length - broken.length} of ${promised.length} promises kept.`,
    '',
    '![False results over promised level](figures/promises.svg)',
    '',
    ...chapters.flatMap(({ chapter, rows: own }) => [
      `## ${chapter.title}`,
      '',
      chapter.about,
      '',
      '| scenario | method | counted | share | promise | allowed | median look |',
      '|---|---|---|---|---|---|---|',
      ...own.map(line),
      '',
      ...figuresOf(chapter.title),
    ]),
    '## What looking at any time costs',
    '',
    'The interval is widest, against one that may be read only once, far from the planned sample size N*.',
    '',
    '![Width over the fixed interval](figures/cost-of-looking.svg)',
    '',
  ].join('\n');
}

function line(row: Row): string {
  const { scenario, method, event, count, runs, alpha, whose, medianLooks } = row;
  const promise = alpha === undefined ? '–' : percent(alpha);
  const allowed = alpha === undefined || whose === 'peer' ? '–' : percent(highestShare(alpha, runs));
  const mark = keepsPromise(row) ? '' : ' **broken**';
  const name = whose === 'peer' ? `*peer:* ${method}` : method;
  return `| ${scenario} | ${name} | ${event} | ${percent(count / runs)}${mark} | ${promise} | ${allowed} | ${medianLooks ?? ''} |`;
}

function figuresOf(title: string): string[] {
  if (title !== 'Rollouts: delay') return [];
  return [
    '![Polls until harm after good history](figures/restarts.svg)',
    '',
    '![Errors until a healthy canary is proven safe](figures/errors-until-safe.svg)',
    '',
  ];
}
