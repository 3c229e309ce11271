import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { cacheDir, repositoryDir } from '../cluster/paths.ts';
import { writeImageArchive } from './archive.ts';
import type { BuiltImage } from './built-image.ts';
import { baseEntries, nonrootUser, programEntries } from './rootfs.ts';

/** An image of one Node program of ours. */
export interface NodeImage {
  readonly name: string;
  /** The program's root, from the root of the work tree. */
  readonly entryPoint: string;
}

/** Our own programs that run in clusters. */
const nodeImages = {
  operator: 'src/operator.ts',
  sidecar: 'src/sidecar.ts',
  shop: 'examples/shop/server.ts',
} as const;

/** The Node that the lock file pins: the same that runs the tests. */
const node = join(repositoryDir, 'node_modules', 'node', 'bin', 'node');

/**
 * What our programs run with. Objects that survive two collections of the young generation are copied out of it; the smaller
 * it is, the less memory a burst of watch events leaves behind: 65 MB less with 10,000 pods in the caches.
 */
export const nodeEnv = { NODE_ENV: 'production', NODE_OPTIONS: '--max-semi-space-size=4' } as const;

/** Raise when the same program shall give another image. */
const RECIPE_REVISION = 3;
const KEEP_ARCHIVES_MS = 24 * 3_600_000;

/** Builds the image of one of our programs by name: `operator`, `shop`. */
export function ensureImage(name: string, signal: AbortSignal): Promise<BuiltImage> {
  return buildNodeImage({ name, entryPoint: entryPointOf(name) }, signal);
}

/** Where one of our programs begins. */
export function entryPointOf(name: string): string {
  const known = Object.entries(nodeImages).find(([one]) => one === name);
  if (known) return known[1];
  throw new Error(`no image is called "${name}": there are ${Object.keys(nodeImages).join(', ')}`);
}

/**
 * Bundles a program into one file and puts it on Node and the libraries that Node needs, for a user without rights.
 * Nothing else is in the image. The tag is a digest of the content: a changed program rolls out, an equal one does not.
 */
export async function buildNodeImage({ name, entryPoint }: NodeImage, signal: AbortSignal): Promise<BuiltImage> {
  const bundled = await bundle(entryPoint);
  const digest = createHash('sha256').update(`${RECIPE_REVISION} ${process.version}\n`).update(bundled).digest('hex');
  const tag = digest.slice(0, 12);
  const reference = `sluice.local/${name}:${tag}`;
  const dir = join(cacheDir(), 'images');
  const archive = join(dir, `${name}-bundle-${tag}.tar`);
  if (existsSync(archive)) return { reference, archive };
  const nodeLayer = [...baseEntries, ...(await programEntries(node, 'usr/local/bin/node', signal))];
  writeImageArchive(archive, {
    reference,
    layers: [nodeLayer, [{ kind: 'file', path: `app/${name}.mjs`, mode: 0o644, source: bundled }]],
    entrypoint: ['/usr/local/bin/node', `/app/${name}.mjs`],
    env: nodeEnv,
    user: nonrootUser,
  });
  removeOldArchives(dir, `${name}-bundle-`);
  return { reference, archive };
}

/** All of a program in one ECMAScript module. */
export async function bundle(entryPoint: string): Promise<Buffer> {
  const path = join(repositoryDir, entryPoint);
  if (!existsSync(path)) throw new Error(`${entryPoint} does not exist`);
  const { outputFiles } = await build({
    entryPoints: [path],
    absWorkingDir: repositoryDir, // paths in the bundle's comments, and so the tag, depend on it
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'error',
    // Bundled CommonJS packages call require for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${entryPoint} gave no bundle`);
  return Buffer.from(file.contents);
}

/** Each change of a program leaves an archive of 130 MB behind. */
function removeOldArchives(dir: string, prefix: string): void {
  for (const file of readdirSync(dir).filter((one) => one.startsWith(prefix))) {
    const path = join(dir, file);
    if (Date.now() - statSync(path).mtimeMs > KEEP_ARCHIVES_MS) rmSync(path, { force: true });
  }
}
