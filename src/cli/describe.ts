import { formatDuration } from '../api/duration.ts';
import { parseRollout } from '../api/parse.ts';
import type { Rollout } from '../api/resource.ts';
import type { Step } from '../api/rollout.ts';
import type { GuardrailStatus, InFlight, RolloutStatus } from '../api/rollout-status.ts';
import type { DurationMs, EpochMs } from '../base/units.ts';
import { printable, type RolloutObject, statusOf } from './rollouts.ts';
import { type Colours, phaseText, since, span, table, verdictText } from './text.ts';

/** How many entries of the history are shown. */
const HISTORY = 8;

/** One Rollout on a page: where it stands, its steps, guardrails, what is wrong, and what happened. */
export function describeRollout(object: RolloutObject, colours: Colours, now: EpochMs): string {
  const status = statusOf(object);
  const parsed = parseRollout({ ...object, spec: printable(object.spec) });
  const spec = parsed.ok ? parsed.rollout.spec : undefined;
  const parts = [
    headline(object, status, spec, { colours, now }),
    stepList(status, spec, colours),
    guardrailTable(status.guardrails, { colours, now }),
    troubles(status, colours),
    history(status, now),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

interface View {
  readonly colours: Colours;
  readonly now: EpochMs;
}

function headline(
  object: RolloutObject,
  status: RolloutStatus,
  spec: Rollout['spec'] | undefined,
  { colours, now }: View,
): string {
  const { name, namespace } = object.metadata;
  const flight = status.inFlight;
  const facts: [string, string][] = [
    ['Deployment', spec ? `${spec.workload.name}${spec.mode === 'Observe' ? ' (only observed)' : ''}` : '-'],
    ['Stable', status.stable ? `${status.stable.hash}, for ${since(status.stable.since, now)}` : '-'],
  ];
  if (flight) facts.push(['Canary', canaryText(flight, status, now)]);
  else if (status.rolledBack)
    facts.push(['Rolled back', `${status.rolledBack.hash}, ${since(status.rolledBack.at, now)} ago`]);
  if (status.reason) facts.push(['Reason', `${status.reason}${status.message ? `: ${status.message}` : ''}`]);
  const lines = facts.map(([label, text]) => `  ${label.padEnd(13)}${text}`);
  return [`${colours.bold(`${namespace}/${name}`)}  ${phaseText(colours, status.phase)}`, ...lines].join('\n');
}

function canaryText(flight: InFlight, { weight }: RolloutStatus, now: EpochMs): string {
  const how = flight.fastRevert ? ' (fast revert)' : '';
  return `${flight.hash}${how}, at ${weight ?? '0%'} for ${since(flight.stageSince, now)}, started ${since(flight.startedAt, now)} ago`;
}

function stepList({ inFlight }: RolloutStatus, spec: Rollout['spec'] | undefined, colours: Colours): string {
  const steps = inFlight?.steps ?? spec?.steps ?? [];
  const rows = steps.map((step, index) =>
    `  ${mark(index, inFlight, colours)} ${String(index + 1).padStart(2)}  ${stepText(step).padEnd(30)}${holdText(step, index, inFlight)}`.trimEnd(),
  );
  return rows.length === 0 ? '' : ['Steps', ...rows].join('\n');
}

function mark(index: number, flight: InFlight | undefined, colours: Colours): string {
  if (!flight || index > flight.step) return ' ';
  if (index < flight.step) return colours.green('✓');
  return flight.retreat ? colours.red('✗') : colours.cyan('▸');
}

/** A step in a few words. */
export function stepText({ shadow, match, weight }: Step): string {
  if (shadow) return `shadow ${shadow.percent}% of ${shadow.methods.join(', ')}`;
  if (match)
    return `match ${match.headers.map(({ name, value, type }) => `${name}${type === 'Exact' ? '=' : '~'}${value}`).join(', ')}`;
  return weight === undefined ? 'approve' : `weight ${weight}%`;
}

function holdText({ hold }: Step, index: number, flight: InFlight | undefined): string {
  if (hold === undefined) return '';
  const whole = formatDuration(hold);
  if (flight?.step !== index || flight.stage !== 'Holding') return `hold ${whole}`;
  return `hold ${span(flight.hold?.doneMs ?? (0 as DurationMs))} of ${whole}`;
}

function guardrailTable(guardrails: readonly GuardrailStatus[], { colours, now }: View): string {
  if (guardrails.length === 0) return '';
  const rows = guardrails.map(({ name, verdict, value, stableValue, reason, message, at }) => [
    `  ${name}`,
    verdictText(colours, verdict),
    number(value),
    number(stableValue),
    at === undefined ? '-' : `${since(at, now)} ago`,
    message ? `${reason}: ${message}` : reason,
  ]);
  return `Guardrails\n${table(['  NAME', 'VERDICT', 'CANARY', 'STABLE', 'SAMPLE', 'REASON'], rows)}`;
}

const number = (value: number | undefined): string =>
  value === undefined ? '-' : String(Number(value.toPrecision(4)));

/** Conditions that are not as they should be. */
function troubles({ conditions }: RolloutStatus, colours: Colours): string {
  const rows = conditions
    .filter(({ type, status }) => status === 'False' && type !== 'Progressing')
    .map(({ type, reason, message }) => `  ${colours.yellow(`${type}=False`)}  ${reason}: ${message}`);
  return rows.length === 0 ? '' : ['Conditions', ...rows].join('\n');
}

function history({ transitions }: RolloutStatus, now: EpochMs): string {
  if (transitions.length === 0) return '';
  const rows = transitions
    .slice(0, HISTORY)
    .map(({ at, from, to, reason, message, by }) => [
      `  ${since(at, now)} ago`,
      from === to ? to : `${from} → ${to}`,
      message ? `${reason}: ${message}` : reason,
      by === 'sluice' ? '' : `by ${by}`,
    ]);
  return `History\n${table(['  WHEN', 'PHASE', 'WHY', ''], rows)}`;
}
