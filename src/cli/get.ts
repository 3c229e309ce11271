import { stringify } from 'yaml';
import type { EpochMs } from '../base/units.ts';
import { WRITE_FOR_KUBECTL } from '../wire/manifest-yaml.ts';
import { type RolloutObject, statusOf } from './rollouts.ts';
import { type Colours, jsonText, phaseText, since, table, verdictText, withEscapes } from './text.ts';

export interface GetView {
  readonly colours: Colours;
  readonly now: EpochMs;
  readonly wide: boolean;
  /** With a column for the namespace. */
  readonly allNamespaces: boolean;
}

/** Rollouts as a table, sorted by namespace and name. */
export function rolloutTable(items: readonly RolloutObject[], view: GetView): string {
  const head = ['NAME', 'PHASE', 'STEP', 'WEIGHT', 'VERDICT', 'REASON', 'AGE'];
  if (view.allNamespaces) head.unshift('NAMESPACE');
  if (view.wide) head.push('STABLE', 'CANARY', 'MESSAGE');
  return table(
    head,
    [...items].sort(byName).map((item) => row(item, view)),
  );
}

function row(item: RolloutObject, { colours, now, wide, allNamespaces }: GetView): string[] {
  const status = statusOf(item);
  const { name, namespace = '', creationTimestamp } = item.metadata;
  return [
    ...(allNamespaces ? [namespace] : []),
    name,
    phaseText(colours, status.phase),
    status.step ?? '-',
    status.weight ?? '-',
    verdictText(colours, status.verdict),
    status.reason ?? '-',
    creationTimestamp ? since(Date.parse(creationTimestamp), now) : '-',
    ...(wide ? [status.stable?.hash ?? '-', status.inFlight?.hash ?? '-', status.message ?? '-'] : []),
  ];
}

const byName = (a: RolloutObject, b: RolloutObject): number => (sortKey(a) < sortKey(b) ? -1 : 1);
const sortKey = ({ metadata }: RolloutObject): string => `${metadata.namespace}/${metadata.name}`;

/** What programs read: the object itself, or a List; without the API server's bookkeeping. */
export function rolloutDocument(items: readonly RolloutObject[], single: boolean, format: 'json' | 'yaml'): string {
  const plain = items.map(({ metadata: { managedFields: _, ...metadata }, ...rest }) => {
    const { apiVersion, kind, ...others } = rest;
    return { apiVersion, kind, metadata, ...others };
  });
  const document = single ? plain[0] : { apiVersion: 'v1', kind: 'List', metadata: {}, items: plain };
  return format === 'json' ? jsonText(document) : withEscapes(stringify(document, WRITE_FOR_KUBECTL).trimEnd());
}
