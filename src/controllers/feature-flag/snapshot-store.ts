import { isDeepStrictEqual } from 'node:util';
import { GROUP } from '../../api/names.ts';
import type { EpochMs } from '../../base/units.ts';
import { MAX_NOTED_REVISION, type PublishedRuleset } from '../../core/flags/observed.ts';
import { type ConfigMap, configMaps } from '../../kube/builtins.ts';
import type { CacheReader } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/kube-error.ts';
import { sizeProblem } from '../../wire/ruleset.ts';
import { isSealedBy, type SealedRuleset } from '../../wire/sealed-ruleset.ts';
import {
  AUTHORITIES_FILE,
  decodeSnapshot,
  encodeSnapshot,
  PUBLIC_KEY_FILE,
  SNAPSHOT_FILE,
  SNAPSHOT_NAME,
} from '../../wire/snapshot.ts';
import { type Installation, pemOf } from './installation.ts';

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
  const sealed = sealedIn(object, installation);
  if (!sealed) return { revision: notedRevision(object), flags: undefined };
  const { revision, issuedAt, flags } = sealed.ruleset;
  // No evaluator has taken it.
  if (sizeProblem(sealed.ruleset)) return { revision, flags: undefined };
  return { revision, issuedAt: Date.parse(issuedAt) as EpochMs, flags };
}

/** What its annotation says, for where nothing else is left; 0 where it says nothing that we may have written. */
function notedRevision({ metadata }: ConfigMap): number {
  const noted = Number(metadata.annotations?.[REVISION]);
  return Number.isInteger(noted) && noted > 0 && noted <= MAX_NOTED_REVISION ? noted : 0;
}

/** What its annotation says, without reading the ruleset. */
export const notedDigest = ({ metadata }: ConfigMap): string | undefined => metadata.annotations?.[DIGEST];

/**
 * What this installation has sealed for this namespace; undefined for anything else. Others may write ConfigMaps too: what they
 * change, or bring from elsewhere, is not ours any more.
 */
export function sealedIn(object: ConfigMap, installation: Installation): SealedRuleset | undefined {
  const { signingKey, publicKey, unitHashSalt } = installation;
  const sealed = decodeSnapshot(Buffer.from(contentOf(object), 'base64')) as SealedRuleset | undefined;
  try {
    const isOurs =
      sealed !== undefined &&
      isSealedBy(new Map([[signingKey.id, publicKey]]), sealed) &&
      sealed.ruleset.flagSetId === object.metadata.namespace &&
      sealed.ruleset.unitHashSalt === unitHashSalt;
    return isOurs ? sealed : undefined;
  } catch {
    return undefined; // it has the form of something else
  }
}

/** The snapshot in Base64, as the ConfigMap has it. */
export const contentOf = ({ binaryData }: ConfigMap): string => binaryData?.[SNAPSHOT_FILE] ?? '';

/** What evaluators need beside the ruleset: the operator's authorities, and the key that signs. As files in PEM. */
export const trustOf = (authorities: string, { publicKey }: Installation): Trust => ({
  [AUTHORITIES_FILE]: authorities,
  [PUBLIC_KEY_FILE]: pemOf(publicKey),
});

export type Trust = Readonly<Record<typeof AUTHORITIES_FILE | typeof PUBLIC_KEY_FILE, string>>;

export const holdsTrust = ({ data }: ConfigMap, trust: Trust): boolean => isDeepStrictEqual({ ...data }, trust);

export interface WriteAt {
  readonly namespace: string;
  readonly before: ConfigMap | undefined;
  readonly trust: Trust;
  readonly signal: AbortSignal;
  /** Of the snapshot; default: 900 KiB. */
  readonly maxBytes?: number;
}

/**
 * Writes a snapshot where `before` still stands; another writer ends it as SLUICE_KUBE_CONFLICT. Throws
 * SLUICE_RULESET_TOO_LARGE above `maxBytes`, and then the last one stays.
 */
export async function writeSnapshot(
  client: Pick<KubeClient, 'create' | 'replace'>,
  sealed: SealedRuleset,
  { namespace, before, trust, signal, maxBytes }: WriteAt,
): Promise<ConfigMap> {
  const { labels, annotations, ...others } = before?.metadata ?? metadataIn(namespace);
  const object: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...others,
      labels: { ...labels, ...LABELS },
      annotations: { ...annotations, [REVISION]: String(sealed.ruleset.revision), [DIGEST]: sealed.digest },
    },
    data: { ...trust },
    binaryData: { [SNAPSHOT_FILE]: encodeSnapshot(sealed, maxBytes).toString('base64') },
  };
  return before ? client.replace(configMaps, object, { signal }) : client.create(configMaps, object, { signal });
}

/** Writes what evaluators trust beside the ruleset that stands. */
export const writeTrust = (
  client: Pick<KubeClient, 'replace'>,
  before: ConfigMap,
  { trust, signal }: Pick<WriteAt, 'trust' | 'signal'>,
): Promise<ConfigMap> => client.replace(configMaps, { ...before, data: { ...trust } }, { signal });

/**
 * Sees to it that the namespace has a snapshot, also while it has no flags: its evaluators find there whom to trust, and are ready by
 * an empty ruleset. Makes an empty object where there is none; the leader fills it.
 */
export async function claimSnapshot(
  { client, snapshots }: { readonly client: Pick<KubeClient, 'create'>; readonly snapshots: CacheReader<ConfigMap> },
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  if (snapshots.get({ namespace, name: SNAPSHOT_NAME })) return;
  const object: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadataIn(namespace), labels: LABELS },
  };
  await client.create(configMaps, object, { signal }).catch((error) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

/** On every snapshot that we made. */
export const LABELS = { 'app.kubernetes.io/managed-by': 'sluice' };
const metadataIn = (namespace: string): ConfigMap['metadata'] => ({ name: SNAPSHOT_NAME, namespace });
