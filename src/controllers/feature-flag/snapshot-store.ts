import { GROUP } from '../../api/names.ts';
import type { PublishedRuleset } from '../../core/flags/observed.ts';
import { type ConfigMap, configMaps } from '../../kube/builtins.ts';
import type { KubeClient } from '../../kube/client.ts';
import { digestOf, type SealedRuleset } from '../../wire/sealed-ruleset.ts';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_FILE, SNAPSHOT_NAME } from '../../wire/snapshot.ts';
import type { Installation } from './installation.ts';

/** Annotations, for people and for what is left when the content is damaged. */
const REVISION = `${GROUP}/revision`;
const DIGEST = `${GROUP}/digest`;

/** The ruleset in a ConfigMap; read once for each object, as objects of a cache never change. */
export function publishedIn(object: ConfigMap, installation: Installation): PublishedRuleset {
  const known = read.get(object);
  if (known) return known;
  const made = open(object, installation);
  read.set(object, made);
  return made;
}

const read = new WeakMap<ConfigMap, PublishedRuleset>();

function open(object: ConfigMap, installation: Installation): PublishedRuleset {
  const revision = notedRevision(object);
  const sealed = sealedIn(object, installation);
  if (!sealed) return { revision, flags: undefined };
  return { revision: Math.max(revision, sealed.ruleset.revision), flags: sealed.ruleset.flags };
}

/** What its annotation says, without reading the ruleset; 0 where it says nothing. */
export function notedRevision({ metadata }: ConfigMap): number {
  const noted = Number(metadata.annotations?.[REVISION]);
  return Number.isSafeInteger(noted) && noted > 0 ? noted : 0;
}

/** What this installation has sealed; undefined for anything else. */
export function sealedIn(object: ConfigMap, { signingKey, unitHashSalt }: Installation): SealedRuleset | undefined {
  const sealed = decodeSnapshot(Buffer.from(contentOf(object), 'base64')) as SealedRuleset | undefined;
  try {
    const isOurs =
      sealed !== undefined &&
      digestOf(sealed.ruleset) === sealed.digest &&
      sealed.signature?.keyId === signingKey.id &&
      sealed.ruleset.unitHashSalt === unitHashSalt;
    return isOurs ? sealed : undefined;
  } catch {
    return undefined; // it has the form of something else
  }
}

/** The snapshot in Base64, as the ConfigMap has it. */
export const contentOf = ({ binaryData }: ConfigMap): string => binaryData?.[SNAPSHOT_FILE] ?? '';

export interface WriteAt {
  readonly namespace: string;
  readonly before: ConfigMap | undefined;
  readonly signal: AbortSignal;
}

/**
 * Writes a snapshot where `before` still stands; another writer ends it as SLUICE_KUBE_CONFLICT. Throws
 * SLUICE_RULESET_TOO_LARGE above 900 KiB, and then the last one stays.
 */
export async function writeSnapshot(
  client: Pick<KubeClient, 'create' | 'replace'>,
  sealed: SealedRuleset,
  { namespace, before, signal }: WriteAt,
): Promise<ConfigMap> {
  const { labels, annotations, ...others } = before?.metadata ?? { name: SNAPSHOT_NAME, namespace };
  const object: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...others,
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'sluice' },
      annotations: { ...annotations, [REVISION]: String(sealed.ruleset.revision), [DIGEST]: sealed.digest },
    },
    binaryData: { [SNAPSHOT_FILE]: encodeSnapshot(sealed).toString('base64') },
  };
  return before ? client.replace(configMaps, object, { signal }) : client.create(configMaps, object, { signal });
}
