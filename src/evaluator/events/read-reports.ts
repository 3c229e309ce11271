import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Code } from '../../base/errors.ts';
import type { EpochMs } from '../../base/units.ts';
import { decodeExposureToken, exposureId, exposureReportsSchema, unitHashOf } from '../../wire/exposure.ts';
import { jsonProblem, type WireProblem } from '../../wire/json.ts';
import { metricReportsSchema } from '../../wire/metric-event.ts';
import { wireProblems } from '../../wire/ruleset.ts';
import type { EventRuleset } from './evaluator-ruleset.ts';
import type { EventKind, QueuedEvent } from './queued-event.ts';

/** What is wrong with one item of a batch; `path` is within the item. */
export interface ItemError extends WireProblem {
  readonly index: number;
  readonly code: Code;
}

export interface ReadReports {
  readonly events: readonly QueuedEvent[];
  readonly errors: readonly ItemError[];
}

interface Around {
  readonly ruleset: EventRuleset;
  readonly now: EpochMs;
}

type Problem = Omit<ItemError, 'index'>;
type ReadItem = (item: unknown, around: Around) => QueuedEvent | Problem;

const DAY_MS = 86_400_000;
/** Raw events are kept that long: an older one would be gone as soon as it came. */
const MAX_AGE_MS = 90 * DAY_MS;
/** For clocks that are off, and zones that were taken for UTC. */
const MAX_AHEAD_MS = DAY_MS;
/** A single item; far above an honest one, far below a body. */
const MAX_ITEM_CHARS = 65_536;

const exposureReport = exposureReportsSchema.shape.exposures.element;
const metricReport = metricReportsSchema.shape.metrics.element;

/** Makes events of the items of a batch, each by itself: a bad one keeps no other back. Never throws. */
export function readReports(kind: EventKind, items: readonly unknown[], around: Around): ReadReports {
  const read = readItem[kind];
  const events: QueuedEvent[] = [];
  const errors: ItemError[] = [];
  for (const [index, item] of items.entries()) {
    const result = read(item, around);
    if ('kind' in result) events.push(result);
    else errors.push({ index, ...result });
  }
  return { events, errors };
}

const readItem: Readonly<Record<EventKind, ReadItem>> = {
  exposure(item, { ruleset: { flagSetId }, now }) {
    const report = parse(exposureReport, item);
    if (!report.ok) return report.problem;
    const { token, time, dimensions } = report.data;
    const assigned = decodeExposureToken(token);
    if (assigned === undefined) return { code: 'SLUICE_EVENT_TOKEN', path: 'token', message: 'is no exposure token' };
    if (isForeign(assigned.experiment, flagSetId))
      return { code: 'SLUICE_EVENT_FOREIGN', path: 'token', message: `is not of the flag set ${flagSetId}` };
    const when = timeOf(time, now);
    if (typeof when !== 'string') return when;
    const event = { id: exposureId(assigned), flagSetId, ...assigned, time: when };
    return { kind: 'exposure', event: dimensions === undefined ? event : { ...event, dimensions } };
  },

  metric(item, { ruleset: { flagSetId, unitHashSalt }, now }) {
    const report = parse(metricReport, item);
    if (!report.ok) return report.problem;
    const { id = randomUUID(), event: name, unit, value = 1, time, dimensions } = report.data;
    const when = timeOf(time, now);
    if (typeof when !== 'string') return when;
    const event = { id, flagSetId, event: name, unitHash: unitHashOf(unitHashSalt, unit), value, time: when };
    return { kind: 'metric', event: dimensions === undefined ? event : { ...event, dimensions } };
  },
};

/** Experiments are named `<namespace>/<name>` and a flag set is a namespace; names without one are those of a local file. */
function isForeign(experiment: string, flagSetId: string): boolean {
  const slash = experiment.indexOf('/');
  return slash !== -1 && experiment.slice(0, slash) !== flagSetId;
}

function parse<T>(schema: z.ZodType<T>, item: unknown): { ok: true; data: T } | { ok: false; problem: Problem } {
  const unfit = jsonProblem(item, MAX_ITEM_CHARS);
  if (unfit !== undefined) return { ok: false, problem: { code: 'SLUICE_EVENT_INVALID', ...unfit } };
  const parsed = schema.safeParse(item);
  if (parsed.success) return { ok: true, data: parsed.data };
  const [first = { path: '', message: 'is no event' }] = wireProblems(parsed.error);
  return { ok: false, problem: { code: 'SLUICE_EVENT_INVALID', ...first } };
}

/** In UTC with milliseconds, so that one moment is always written alike. */
function timeOf(time: string | undefined, now: EpochMs): string | Problem {
  const ms = time === undefined ? now : Date.parse(time);
  if (ms >= now - MAX_AGE_MS && ms <= now + MAX_AHEAD_MS) return new Date(ms).toISOString();
  return { code: 'SLUICE_EVENT_TIME', path: 'time', message: 'is more than 90 days back or 1 day ahead' };
}
