import { PLAN_ANNOTATION } from '../../api/names.ts';
import type { PlanRecord } from '../../core/rollout/route-plan.ts';
import type { HttpRoute } from './http-route.ts';

/**
 * backendRefs weights of a rule before Sluice changed it, by rule index; null = none stood there. Only a hint for an exact
 * restore: used where its proportions still hold.
 */
export type Originals = Readonly<Record<string, readonly (number | null)[]>>;

/** The record as the route's annotation holds it. */
export interface StoredRecord extends PlanRecord {
  readonly originals: Originals;
}

/** Larger ones were not written by us: 16 rules of 16 weights are far below. */
const MAX_RECORD_LENGTH = 8192;

export function readRecord(route: HttpRoute): StoredRecord | undefined {
  const text = route.metadata.annotations?.[PLAN_ANNOTATION];
  if (text === undefined || text.length > MAX_RECORD_LENGTH) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // somebody else wrote here: as good as no record
  }
  return isRecord(value) ? { ...value, originals: value.originals ?? {} } : undefined;
}

/** The record, where this Rollout wrote it. */
export function ownRecord(route: HttpRoute, rolloutUid: string): StoredRecord | undefined {
  const record = readRecord(route);
  return record?.rollout === rolloutUid ? record : undefined;
}

/** The annotation's text; members in a fixed order, so that equal records are equal texts. */
export function writeRecord({ rollout, revision, epoch, verdict, changedAt, originals }: StoredRecord): string {
  const kept = Object.keys(originals).length > 0 ? { originals } : {};
  return JSON.stringify({ rollout, revision, epoch, verdict, changedAt, ...kept });
}

/** What a status shows of a stored record. */
export const planRecord = ({ originals: _, ...record }: StoredRecord): PlanRecord => record;

/** All of them, or the compiler objects. */
const verdicts: Readonly<Record<PlanRecord['verdict'], true>> = { Go: true, Lowered: true, RolledBack: true };

type Parsed = PlanRecord & { readonly originals?: Originals };

function isRecord(value: unknown): value is Parsed {
  if (typeof value !== 'object' || value === null) return false;
  const { rollout, revision, epoch, verdict, changedAt, originals } = value as Record<string, unknown>;
  return (
    typeof rollout === 'string' &&
    typeof revision === 'string' &&
    Number.isSafeInteger(epoch) &&
    typeof verdict === 'string' &&
    Object.hasOwn(verdicts, verdict) &&
    Number.isSafeInteger(changedAt) &&
    (originals === undefined || areOriginals(originals))
  );
}

function areOriginals(value: unknown): value is Originals {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (weights) => Array.isArray(weights) && weights.every((weight) => weight === null || Number.isSafeInteger(weight)),
    )
  );
}
