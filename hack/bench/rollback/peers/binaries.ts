import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runLogged } from '../../../cluster/command.ts';
import { goModule } from '../../../cluster/go-builds.ts';
import { withLock } from '../../../cluster/lock.ts';
import { cacheDir } from '../../../cluster/paths.ts';
import { type Report, spoken, toStderr, withProgress } from '../../../cluster/progress.ts';

interface PeerSource {
  /** Go module with its version: both are asked from the Go module mechanism, and nothing of it lies in this repository. */
  readonly module: string;
  readonly version: string;
  readonly licence: string;
  readonly mainPackage: string;
  /** Files with its resource definitions, inside the module. */
  readonly definitions: readonly string[];
  /** Seconds that a build from nothing takes on two cores, downloads included. */
  readonly aboutS: number;
}

export const peerSources = {
  'argo-rollouts': {
    module: 'github.com/argoproj/argo-rollouts',
    version: '1.9.1',
    licence: 'Apache-2.0',
    mainPackage: './cmd/rollouts-controller',
    definitions: ['analysis-run', 'analysis-template', 'cluster-analysis-template', 'experiment', 'rollout'].map(
      (name) => `manifests/crds/${name}-crd.yaml`,
    ),
    aboutS: 300,
  },
  flagger: {
    module: 'github.com/fluxcd/flagger',
    version: '1.44.0',
    licence: 'Apache-2.0',
    mainPackage: './cmd/flagger',
    definitions: ['artifacts/flagger/crd.yaml'],
    aboutS: 200,
  },
} as const satisfies Record<string, PeerSource>;

export type PeerName = keyof typeof peerSources;

export const peerNames = Object.keys(peerSources) as PeerName[];

export interface InstalledPeer {
  readonly binary: string;
  /** YAML files with its resource definitions, in Go's module cache. */
  readonly definitions: readonly string[];
}

/**
 * Answers the peer's controller, building it first when this machine has not got this version yet. It is built inside its
 * own module, so with its own go.mod, go.sum and replacements: the same dependencies as in its release.
 */
export async function ensurePeer(
  name: PeerName,
  signal: AbortSignal,
  report: Report = toStderr,
): Promise<InstalledPeer> {
  const { module, version, definitions, aboutS }: PeerSource = peerSources[name];
  const { Dir } = await goModule(`${module}@v${version}`, signal);
  const dir = join(cacheDir(), 'peers', `${name}-${version}`);
  const binary = join(dir, name);
  const onWait = () => report(`waiting for ${name}, which another process builds (about ${spoken(aboutS)} in all)`);
  if (!existsSync(binary)) {
    await withLock(join(cacheDir(), 'locks', `peer-${name}.lock`), onWait, async () => {
      if (existsSync(binary)) return; // another process was faster
      await withProgress(report, `building ${name} ${version}`, aboutS, () => build(name, Dir, dir, signal));
    });
  }
  return { binary, definitions: definitions.map((file) => join(Dir, file)) };
}

async function build(name: PeerName, sourceDir: string, dir: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${dir}.unfinished`;
  const logFile = join(cacheDir(), 'logs', `build-${name}.log`);
  rmSync(unfinished, { recursive: true, force: true });
  rmSync(logFile, { force: true });
  for (const needed of [unfinished, join(cacheDir(), 'logs')]) mkdirSync(needed, { recursive: true });
  const go = ['go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', join(unfinished, name)];
  // Its folder in the module cache is read only, as is `-mod=readonly`: nothing of the source is changed.
  const env = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
  const command = ['-n', '10', ...go, peerSources[name].mainPackage];
  await runLogged(logFile, 'nice', command, { cwd: sourceDir, env, signal });
  renameSync(unfinished, dir);
}
