import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { cacheDir, repositoryDir } from '../cluster/paths.ts';
import { type Entry, writeImageArchive } from './archive.ts';
import type { BuiltImage } from './built-image.ts';
import { baseEntries, nonrootUser, programEntries } from './rootfs.ts';

/** An image of Node programs of ours. */
export interface NodeImage {
  readonly name: string;
  /** Name → root of a program, from the root of the work tree. The first is what the image runs; all lie in /app/NAME.mjs. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Our own images. The operator puts its own image into pods as their evaluator, so that one image is all that a cluster needs. */
const nodeImages: Readonly<Record<string, NodeImage['programs']>> = {
  operator: { operator: 'src/operator.ts', sidecar: 'src/sidecar.ts' },
  shop: { shop: 'examples/shop/server.ts' },
};

/** The Node that the lock file pins: the same that runs the tests. */
const node = join(repositoryDir, 'node_modules', 'node', 'bin', 'node');

/**
 * What our programs run with. Objects that survive two collections of the young generation are copied out of it; the smaller
 * it is, the less memory a burst of watch events leaves behind: 65 MB less with 10,000 pods in the caches.
 */
export const nodeEnv = { NODE_ENV: 'production', NODE_OPTIONS: '--max-semi-space-size=4' } as const;

/** Raise when the same program shall give another image. */
const RECIPE_REVISION = 4;
const KEEP_ARCHIVES_MS = 24 * 3_600_000;

/** Builds one of our images by name: `operator`, `shop`. */
export function ensureImage(name: string, signal: AbortSignal): Promise<BuiltImage> {
  return buildNodeImage({ name, programs: programsOf(name) }, signal);
}

/** The programs of one of our images. */
export function programsOf(name: string): NodeImage['programs'] {
  const known = Object.hasOwn(nodeImages, name) ? nodeImages[name] : undefined;
  if (known) return known;
  throw new Error(`no image is called "${name}": there are ${Object.keys(nodeImages).join(', ')}`);
}

/**
 * Bundles each program into one file and puts them on Node and the libraries that Node needs, for a user without rights.
 * Nothing else is in the image. The tag is a digest of the content: a changed program rolls out, an equal one does not.
 */
export async function buildNodeImage({ name, programs }: NodeImage, signal: AbortSignal): Promise<BuiltImage> {
  const files: Entry[] = [];
  const hash = createHash('sha256').update(`${RECIPE_REVISION} ${process.version}\n`);
  for (const [program, entryPoint] of Object.entries(programs)) {
    const source = await bundle(entryPoint);
    hash.update(program).update(source);
    files.push({ kind: 'file', path: `app/${program}.mjs`, mode: 0o644, source });
  }
  const tag = hash.digest('hex').slice(0, 12);
  const reference = `sluice.local/${name}:${tag}`;
  const dir = join(cacheDir(), 'images');
  const archive = join(dir, `${name}-bundle-${tag}.tar`);
  if (existsSync(archive)) return { reference, archive };
  const nodeLayer = [...baseEntries, ...(await programEntries(node, 'usr/local/bin/node', signal))];
  writeImageArchive(archive, {
    reference,
    layers: [nodeLayer, files],
    entrypoint: ['/usr/local/bin/node', `/app/${Object.keys(programs)[0]}.mjs`],
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
