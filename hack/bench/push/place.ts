import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ConfigMap, configMaps } from '../../../src/kube/builtins.ts';
import { AUTHORITIES_FILE, SNAPSHOT_FILE, SNAPSHOT_NAME } from '../../../src/wire/snapshot.ts';
import { waitFor } from '../../cluster/wait.ts';
import { inParallel } from '../rollback/in-parallel.ts';
import type { Manifest, Rig } from '../rollback/rig.ts';

export const NAMESPACE = 'bench-flags';
const ACCOUNT = 'evaluators';
/** Calls to the API server at a time while flags are made. */
const WIDTH = 8;

/** A namespace with so many flags, each a split behind two conditions. */
export async function applyFlags(rig: Rig, count: number): Promise<void> {
  await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await inParallel(
    Array.from({ length: count }, (_, index) => flagOf(index, 'off')),
    WIDTH,
    (flag) => rig.apply(flag),
  );
}

/** One flag; what it serves by default is what a round changes. */
export function flagOf(index: number, defaultVariant: 'on' | 'off'): Manifest {
  const all = [
    { attr: 'country', op: 'in', value: ['DE', 'AT'] },
    { attr: 'plan', op: 'eq', value: 'pro' },
  ];
  const split = ['on', 'off'].map((variant) => ({ variant, weight: 50 }));
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'FeatureFlag',
    metadata: { name: `flag-${index}`, namespace: NAMESPACE },
    spec: {
      type: 'boolean',
      variants: { on: true, off: false },
      offVariant: 'off',
      defaultVariant,
      rules: [{ id: 'ramp', when: { all }, serve: { split, unit: 'targetingKey' } }],
    },
  };
}

/** A file with a token of an account of the namespace, as the kubelet projects it. */
export async function tokenFile(rig: Rig): Promise<string> {
  const { client, signal, dir } = rig;
  await rig.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace: NAMESPACE } });
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${ACCOUNT}/token`;
  const spec = { audiences: ['sluice'], expirationSeconds: 7_200 };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const { status } = (await client.raw({ method: 'POST', path, body }, { signal })) as { status: { token: string } };
  const file = join(dir, 'evaluator-token');
  writeFileSync(file, status.token, { mode: 0o600 });
  return file;
}

/** A file with the authorities of the operator's certificate, as the operator gives them to evaluators. */
export async function authoritiesFile({ client, signal, dir }: Rig): Promise<string> {
  const read = async () => {
    const at = { namespace: NAMESPACE, name: SNAPSHOT_NAME };
    return ((await client.get(configMaps, at, { signal })) as ConfigMap | undefined)?.data?.[AUTHORITIES_FILE];
  };
  const file = join(dir, 'evaluator-ca');
  writeFileSync(file, await waitFor(read, { what: 'the authorities beside the ruleset', timeoutMs: 60_000, signal }));
  return file;
}

export interface StoredRuleset {
  readonly revision: number;
  readonly flags: number;
  /** Of JSON, not in gzip. */
  readonly bytes: number;
}

/** What the operator has written; undefined before. */
export async function storedRuleset({ client, signal }: Rig): Promise<StoredRuleset | undefined> {
  const at = { namespace: NAMESPACE, name: SNAPSHOT_NAME };
  const found = (await client.get(configMaps, at, { signal })) as ConfigMap | undefined;
  const content = found?.binaryData?.[SNAPSHOT_FILE];
  if (content === undefined) return undefined;
  const json = gunzipSync(Buffer.from(content, 'base64'));
  const { revision, flags } = JSON.parse(json.toString()).ruleset;
  return { revision, flags: Object.keys(flags).length, bytes: json.length };
}

/** How many evaluators run the last change of a flag, as its status says; the operator writes it every 10 s. */
export async function propagationOf(
  { client, signal }: Rig,
  name: string,
): Promise<{ readonly acknowledged?: number; readonly total?: number; readonly p99Seconds?: number } | undefined> {
  const path = `/apis/sluice.dev/v1alpha1/namespaces/${NAMESPACE}/featureflags/${name}`;
  const { status } = (await client.raw({ method: 'GET', path }, { signal })) as Manifest;
  return status?.propagation;
}
