import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BinaryName, binaryVersion, ensureBinary } from '../cluster/binaries.ts';
import { cacheDir } from '../cluster/paths.ts';
import type { Report } from '../cluster/progress.ts';
import { writeImageArchive } from './archive.ts';
import type { BuiltImage } from './built-image.ts';
import { baseEntries, nonrootUser, programEntries } from './rootfs.ts';

/** Images that hold one binary of ours: where it lies in the image, and whether it must be root there. */
const recipes = {
  pause: { path: 'pause', root: false },
  coredns: { path: 'coredns', root: true }, // binds port 53
  'envoy-gateway': { path: 'usr/local/bin/envoy-gateway', root: false },
  envoy: { path: 'usr/local/bin/envoy', root: false },
  prometheus: { path: 'usr/local/bin/prometheus', root: false },
  'metrics-server': { path: 'metrics-server', root: false },
} as const satisfies Partial<Record<BinaryName, { path: string; root: boolean }>>;

export type ClusterImageName = keyof typeof recipes;

/** Raise when the same binary shall give another image. */
const RECIPE_REVISION = 1;

/** The name under which pods ask for it. Never `latest`: kubelet would try to pull that. */
export const imageReference = (name: ClusterImageName): string =>
  `sluice.local/${name}:${binaryVersion(name)}-r${RECIPE_REVISION}`;

/** Builds an image of the cluster's own, without Docker, unless this machine has it already. */
export async function ensureClusterImage(
  name: ClusterImageName,
  signal: AbortSignal,
  report: Report,
): Promise<BuiltImage> {
  const reference = imageReference(name);
  const archive = join(cacheDir(), 'images', `${name}-${binaryVersion(name)}-r${RECIPE_REVISION}.tar`);
  if (existsSync(archive)) return { reference, archive };
  const { path, root } = recipes[name];
  const binary = join(await ensureBinary(name, signal, report), name);
  writeImageArchive(archive, {
    reference,
    layers: [[...baseEntries, ...(await programEntries(binary, path, signal))]],
    entrypoint: [`/${path}`],
    ...(root ? {} : { user: nonrootUser }),
  });
  return { reference, archive };
}
