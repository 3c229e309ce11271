import type { Catalog, CatalogEntry } from './catalog.ts';
import type { Evaluation } from './evaluate.ts';

/** One line for `stats:eval` and what it answers. */
export interface Example {
  readonly fn: string;
  readonly line: string;
  readonly evaluation: Evaluation;
}

/** Folders of src/core/stats in reading order, with what they are for. */
const groups: readonly (readonly [folder: string, title: string, about: string])[] = [
  [
    'summaries',
    'Summaries',
    'What is stored of units: counts, means and co-moments that merge without loss, and a quantile sketch.',
  ],
  [
    'tests',
    'Tests at a fixed horizon',
    'For one look that was fixed in advance. For looks at any time take the sequences below.',
  ],
  [
    'sequential',
    'Sequences for any time',
    'Intervals and evidence that hold at all looks at once, on the absolute or the log-ratio scale.',
  ],
  [
    'counters',
    'Counters, canary against stable',
    'Errors and requests of a rollout, interval by interval; shared shocks cancel, bursts are paid for.',
  ],
  ['histograms', 'Histograms', 'Latency from buckets: exact at edges, honest between them.'],
  ['srm', 'Sample ratio', 'Whether the arms have the units that the weights promise.'],
  ['cuped', 'CUPED', 'Less variance by what was known of a unit before its exposure.'],
  ['winsorize', 'Caps', 'Outliers, with one cap over all arms.'],
  ['stratify', 'Strata', 'Less variance by attributes from before exposure.'],
  [
    'triggered',
    'Triggered analysis',
    'Effects among those whose experience could differ, and what they mean for everyone.',
  ],
  ['multiplicity', 'Several tests', 'Corrections over metrics and arms.'],
  ['decide', 'Decisions', 'From evidence to a decision with its reason; the facts are enough to replay it.'],
  ['power', 'Power and runtime', 'How many units, how long, and what can be found.'],
  ['group-sequential', 'Group sequential designs', 'Few looks on a schedule, two-sided.'],
  [
    'bayes',
    'Bayes',
    'Posteriors with proper priors by default. Looking daily at a flat prior has the errors of naive peeking.',
  ],
  ['bandit', 'Bandits', 'Weights by the chance to be best, and an analysis that survives changing weights.'],
  ['switchback', 'Switchbacks', 'Time slices instead of users.'],
  ['heterogeneity', 'Heterogeneity', 'Whether strata differ, and what to show of them.'],
  ['privacy', 'Private counts', 'Noise for counts that leave the house.'],
  [
    'special',
    'Special functions',
    'Relative error at most 1e-12 into tails of 1e-300 for parameters in [1e-3, 1e7], 1e-9 beyond.',
  ],
];

const intro = `# Statistics

Every public function of \`src/core/stats\`, made from its source by \`npm run golden\`: arguments, formula and source as its docstring
gives them, and a line for the evaluator with its answer (to 10 digits).

To check a number against R, Python or a book, feed lines to the evaluator:

\`\`\`sh
echo '{"fn":"tQuantile","args":{"p":0.975,"df":17.776}}' | npm run -s stats:eval
\`\`\`

Each line \`{"fn": name, "args": {argument: value}}\` is answered by \`{"result": ...}\` or \`{"error": {"code": ...}}\`. A value may be such
an object itself and is evaluated first. \`"Infinity"\`, \`"-Infinity"\` and \`"NaN"\` stand for those numbers. An argument with a default may be
left out.

## Conventions

- Effects are treatment less control, or ln(treatment / control). A mean is in the metric's unit, its variance in that unit squared and
  of one unit (user, session, whatever was randomised); a standard error is that of the estimate.
- \`alpha\` is a probability inside (0, 1), two-sided unless the text says otherwise. Durations are milliseconds.
- e-values and likelihood ratios are natural logarithms: evidence at level alpha is ln E ≥ ln(1 / alpha).
- Bad input is an error with a code: \`SLUICE_STATS_ARGUMENT\` (outside the domain), \`_TOO_FEW\` (more units needed), \`_NO_VARIANCE\`
  (all values equal), \`_BASELINE\` (zero or negative mean where the scale needs a positive one), \`_NO_ROOT\`. No function answers NaN.
- § numbers are those of the project's statistics specification; papers are cited by author and year.
- What holds the functions: [simulations](statistics-evidence.md) hold what they promise, [mutations](statistics-mutation.md) their tests.
`;

/** docs/statistics.md. */
export function renderStatistics(catalog: Catalog, examples: readonly Example[]): string {
  const known = groups.map(([folder]) => folder);
  const stray = catalog.entries.find(({ file }) => !known.includes(folderOf(file)));
  if (stray) throw new Error(`render.ts does not say what the folder of ${stray.file} is for`);
  return [intro, ...groups.map((group) => renderGroup(group, catalog, examples))].join('\n');
}

const folderOf = (file: string) => file.split('/')[0] as string;

function renderGroup(
  [folder, title, about]: (typeof groups)[number],
  catalog: Catalog,
  examples: readonly Example[],
): string {
  const entries = catalog.entries.filter(({ file }) => folderOf(file) === folder);
  const shapes = catalog.types.filter(({ file }) => folderOf(file) === folder).map(({ text }) => text);
  const parts = [`## ${title}`, `${about} Source: \`src/core/stats/${folder}/\`.`];
  for (const entry of entries)
    parts.push(
      renderEntry(
        entry,
        examples.filter(({ fn }) => fn === entry.name),
      ),
    );
  if (shapes.length > 0) parts.push(`### Shapes of ${title.toLowerCase()}`, `\`\`\`ts\n${shapes.join('\n\n')}\n\`\`\``);
  return `${parts.join('\n\n')}\n`;
}

function renderEntry(entry: CatalogEntry, examples: readonly Example[]): string {
  const parts = [`### ${entry.name}`, entry.doc];
  const rows = entry.parameters.map(({ name, type }) => `- \`${name}\`: \`${type}\``);
  if (rows.length > 0) parts.push(rows.join('\n'));
  for (const { line, evaluation } of examples) {
    parts.push(`\`\`\`json\n${line}\n${JSON.stringify(rounded(evaluation))}\n\`\`\``);
  }
  return parts.join('\n\n');
}

/** Numbers to 10 digits: the last ones may differ between builds of the runtime's exponential. */
export function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(10));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)]));
}
