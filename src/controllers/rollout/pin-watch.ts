import { FIELD_MANAGER } from '../../api/names.ts';
import type { EpochMs } from '../../base/units.ts';
import type { Contest } from '../../core/rollout/observed.ts';
import type { Service } from '../../kube/builtins.ts';
import type { ManagedFields } from '../../traffic/gateway-api/http-route.ts';

/** A pin that has stood for this long is believed again; one that is lost sooner is part of a fight. */
const TRUSTED_AFTER_MS = 60_000;
/** Pins lost in a row that make it somebody's policy, not an accident. */
const CONTEST_COUNT = 2;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

/** What is remembered of the pin of a user's Service. Memory only: a new leader finds out anew. */
export interface PinWatch {
  /** Our last pin, until somebody else undid it; `base` is the version that it was written on. */
  readonly standing?: { readonly hash: string; readonly base: string | undefined };
  readonly triedAt: EpochMs;
  /** Pins in a row that were put back, or refused. */
  readonly failures: number;
  /** Who put it back, by its name in managedFields. */
  readonly manager?: string;
  /** What the API server said when it last refused a pin. */
  readonly refusal?: string;
}

export const noPin: PinWatch = { triedAt: 0 as EpochMs, failures: 0 };

/** After a pin was written on this version of the Service. */
export const pinWritten = (watch: PinWatch, hash: string, base: string | undefined, now: EpochMs): PinWatch => {
  const { refusal, ...kept } = watch;
  const failures = refusal === undefined ? watch.failures : 0; // who refused has given in
  return { ...kept, failures, standing: { hash, base }, triedAt: now };
};

export const pinRefused = (watch: PinWatch, refusal: string, now: EpochMs): PinWatch => ({
  ...watch,
  refusal,
  triedAt: now,
  failures: watch.failures + 1,
});

/** Whether somebody undid our last pin, as a Service shows that is `aimedAt` something else. */
export const isUndone = ({ standing }: PinWatch, aimedAt: string | undefined): boolean =>
  standing !== undefined && standing.hash !== aimedAt;

/** After a pin was found undone in this Service, as freshly read. */
export function pinUndone(watch: PinWatch, service: Service | undefined, now: EpochMs): PinWatch {
  const { standing: _gone, ...rest } = watch;
  const inARow = now - watch.triedAt < TRUSTED_AFTER_MS ? watch.failures : 0;
  return { ...rest, failures: inARow + 1, manager: lastWriterOfSelector(service) };
}

/** The cache does not have our own last pin yet. */
export const isBehind = ({ standing }: PinWatch, { metadata }: Service): boolean =>
  standing !== undefined && standing.base === metadata.resourceVersion;

/** Whether to pin now: the first loss is met at once, then after 5 s, then ever more seldom. */
export function mayPin({ failures, refusal, triedAt }: PinWatch, now: EpochMs): boolean {
  const free = refusal === undefined ? 1 : 0;
  if (failures <= free) return true;
  return now - triedAt >= Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - free - 1));
}

/** Why the Service counts as one that cannot be kept pinned, if it does. */
export function contestOf(watch: PinWatch, aimedAt: string | undefined, now: EpochMs): Contest | undefined {
  const { standing, failures, triedAt, manager, refusal } = watch;
  if (refusal !== undefined) return { reason: 'Refused', message: `a change of its selector is refused: ${refusal}` };
  const trusted = standing !== undefined && standing.hash === aimedAt && now - triedAt >= TRUSTED_AFTER_MS;
  if (failures < CONTEST_COUNT || trusted) return undefined;
  return { reason: 'Reverted', message: `${manager} keeps putting its selector back` };
}

/** The manager, other than Sluice, whose entry with `spec.selector` is the newest. */
function lastWriterOfSelector(service: Service | undefined): string {
  const entries = (service?.metadata.managedFields ?? []) as readonly ManagedFields[];
  const owners = entries.filter(({ manager, fieldsV1 }) => manager !== FIELD_MANAGER && ownsSelector(fieldsV1));
  const newest = owners.sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0];
  return newest?.manager ?? 'another manager';
}

function ownsSelector(fields: ManagedFields['fieldsV1']): boolean {
  const spec = fields?.['f:spec'];
  return typeof spec === 'object' && spec !== null && 'f:selector' in spec;
}
