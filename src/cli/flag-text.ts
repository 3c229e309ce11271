import type { FlagRevision } from '../api/feature-flag-status.ts';
import type { EpochMs } from '../base/units.ts';
import type { FlagObject } from '../flags/flag-object.ts';
import { flagStatusOf, keyOfFlag } from './flags.ts';
import { type Colours, since, table, withoutControls } from './text.ts';

export interface FlagView {
  readonly colours: Colours;
  readonly now: EpochMs;
  /** With a column for the namespace. */
  readonly allNamespaces: boolean;
}

/** FeatureFlags as a table, sorted by namespace and key. */
export function flagTable(items: readonly FlagObject[], view: FlagView): string {
  const head = ['KEY', 'TYPE', 'STATE', 'DEFAULT', 'ACCEPTED', 'REASON', 'OWNER', 'AGE'];
  if (view.allNamespaces) head.unshift('NAMESPACE');
  const sortKey = (item: FlagObject) => `${item.metadata.namespace} ${keyOfFlag(item)}`;
  const sorted = [...items].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  return table(
    head,
    sorted.map((item) => row(item, view)),
  );
}

function row(item: FlagObject, { colours, now, allNamespaces }: FlagView): string[] {
  const { spec = {}, metadata } = item;
  const accepted = flagStatusOf(item).conditions.find(({ type }) => type === 'Accepted');
  const text = (value: unknown) => (typeof value === 'string' ? withoutControls(value) : '-');
  return [
    ...(allNamespaces ? [metadata.namespace ?? ''] : []),
    keyOfFlag(item),
    text(spec.type),
    stateText(spec, colours),
    text(spec.defaultVariant),
    accepted?.status === 'False' ? colours.red('False') : (accepted?.status ?? '-'),
    accepted?.reason ?? '-',
    text(spec.owner),
    metadata.creationTimestamp ? since(Date.parse(metadata.creationTimestamp), now) : '-',
  ];
}

function stateText({ killSwitch, enabled }: NonNullable<FlagObject['spec']>, colours: Colours): string {
  if (killSwitch === true) return colours.red('Killed');
  return enabled === false ? colours.yellow('Disabled') : colours.green('Enabled');
}

/** Revisions, the newest first, each with what differs from the one before. */
export function historyTable(history: readonly FlagRevision[]): string {
  const rows = history.map((one, index) => [
    String(one.revision),
    new Date(one.at).toISOString(),
    one.author ?? '-',
    one.accepted ? 'yes' : 'no',
    changesBetween(history[index - 1], one),
  ]);
  return table(['REVISION', 'AT', 'AUTHOR', 'ACCEPTED', 'CHANGED'], rows.reverse());
}

/** Names of the fields of the spec that differ, with the value where it is a short one. */
export function changesBetween(before: FlagRevision | undefined, after: FlagRevision): string {
  const old = before === undefined ? {} : fieldsOf(before);
  const now = fieldsOf(after);
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  const changed = names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]));
  if (before === undefined) return '-';
  return withoutControls(changed.map((name) => fieldText(name, now[name])).join(', ')) || '-';
}

function fieldText(name: string, value: unknown): string {
  if (value === undefined) return `${name} removed`;
  return typeof value === 'object' ? name : `${name}=${String(value).slice(0, 40)}`;
}

function fieldsOf({ spec }: FlagRevision): Record<string, unknown> {
  try {
    return JSON.parse(spec);
  } catch {
    return {};
  }
}
