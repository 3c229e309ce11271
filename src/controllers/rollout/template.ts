import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { HASH_LABEL } from '../../api/names.ts';
import type { Deployment, ReplicaSet } from '../../kube/builtins.ts';

export type PodTemplate = NonNullable<Deployment['spec']>['template'];

/** The template without what controllers add to it: the hash label and the empty creation time. */
export function plainTemplate(template: PodTemplate): PodTemplate {
  const { metadata, ...rest } = template;
  const { creationTimestamp: _empty, labels, ...meta } = metadata ?? {};
  const { [HASH_LABEL]: _hash, ...own } = labels ?? {};
  return { ...rest, metadata: { ...meta, labels: own } } as PodTemplate;
}

/** Equal but for the hash label. Both must come from the same API server, so that both have the same defaults filled in. */
export const sameTemplate = (a: PodTemplate, b: PodTemplate): boolean =>
  isDeepStrictEqual(plainTemplate(a), plainTemplate(b));

// What pod-template-hash labels are made of elsewhere: no vowels, so that no word appears.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const LENGTH = 10;

/** A hash for a template that no ReplicaSet carries yet: 10 letters, 47 bits of SHA-256 over the canonical JSON. */
export function computeHash(template: PodTemplate): string {
  const digest = createHash('sha256')
    .update(canonical(plainTemplate(template)))
    .digest();
  let number = digest.readBigUInt64BE(0);
  let hash = '';
  for (let i = 0; i < LENGTH; i++) {
    hash += ALPHABET[Number(number % 27n)];
    number /= 27n;
  }
  return hash;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join(',')}}`;
}

export const hashOf = (set: ReplicaSet): string => set.metadata.labels?.[HASH_LABEL] ?? '';

const computed = new WeakMap<object, string>();

/**
 * The pod-template-hash of a Deployment's present template: of a set with an equal template where there is one (its own or
 * the canary's), else computed. Cached by object identity: caches hand out the same object until it changes.
 */
export function revisionOf(deployment: Deployment, sets: readonly ReplicaSet[]): string {
  const template = deployment.spec?.template;
  if (!template) return '';
  const equal = sets.find((set) => set.spec?.template && sameTemplate(set.spec.template as PodTemplate, template));
  if (equal) return hashOf(equal);
  return digestOf(deployment);
}

/** The computed hash of the template of a Deployment or set, whatever its label says. Cached in the same way. */
export function digestOf(object: Deployment | ReplicaSet): string {
  const known = computed.get(object);
  if (known !== undefined) return known;
  const template = object.spec?.template;
  const digest = template ? computeHash(template as PodTemplate) : '';
  computed.set(object, digest);
  return digest;
}
