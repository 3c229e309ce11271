import Table from 'cli-table3';
import picocolors from 'picocolors';
import type { Phase, Verdict } from '../api/rollout-status.ts';
import type { DurationMs } from '../base/units.ts';

export type Colours = ReturnType<typeof picocolors.createColors>;

export const coloursFor = (on: boolean): Colours => picocolors.createColors(on);

const BARE = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle'].flatMap((place) =>
    ['', '-mid', '-left', '-right'].map((part) => [`${place}${part}`, '']),
  ),
);

/** Columns as kubectl prints them: a head in capitals, three spaces between, no lines. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    chars: BARE,
    style: { 'padding-left': 0, 'padding-right': 3, head: [], border: [], compact: true },
  });
  made.push([...head], ...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** The two largest units of a time span, such as 4m12s or 3d2h; whole seconds. */
export function span(ms: number): string {
  const first = UNITS.findIndex(([, size]) => ms >= size);
  if (first < 0) return '0s';
  const parts = UNITS.slice(first, first + 2).map(([unit, size], index) => {
    const above = index === 0 ? Number.POSITIVE_INFINITY : (UNITS[first]?.[1] ?? 1);
    return [unit, Math.floor((ms % above) / size)] as const;
  });
  return parts.flatMap(([unit, count], index) => (count > 0 || index === 0 ? `${count}${unit}` : [])).join('');
}

export const since = (at: number, now: number): string => span(Math.max(0, now - at) as DurationMs);

const PHASE_COLOURS = {
  Initializing: 'dim',
  Healthy: 'green',
  Progressing: 'cyan',
  Paused: 'yellow',
  AwaitingApproval: 'yellow',
  AwaitingEvidence: 'yellow',
  Promoting: 'cyan',
  RollingBack: 'red',
  RolledBack: 'red',
} as const satisfies Record<Phase, keyof Colours>;

const VERDICT_COLOURS = {
  Safe: 'green',
  Harm: 'red',
  NoEvidence: 'yellow',
  ProviderDown: 'yellow',
} as const satisfies Record<Verdict, keyof Colours>;

export const phaseText = (colours: Colours, phase: Phase): string => colours[PHASE_COLOURS[phase]](phase);

export const verdictText = (colours: Colours, verdict: Verdict | undefined): string =>
  verdict === undefined ? '-' : colours[VERDICT_COLOURS[verdict]](verdict);

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
export const withoutControls = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

/** JSON, or YAML whose strings with control characters are quoted, with those escaped that JSON.stringify lets through. */
export const withEscapes = (text: string): string =>
  text.replace(/[\u007f-\u009f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);

export const jsonText = (value: unknown): string => withEscapes(JSON.stringify(value, undefined, 2));

/** What went wrong, on one line. */
export const firstLine = (cause: unknown): string =>
  withoutControls((cause instanceof Error ? cause.message : String(cause)).trim().split('\n')[0] ?? '');
