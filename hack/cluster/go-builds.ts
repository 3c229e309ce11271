import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, runLogged } from './command.ts';
import { versions } from './versions.ts';

/** Where a build may work and must leave its binaries. */
export interface BuildPlace {
  /** Binaries go here; it becomes the cache entry when the build has succeeded. */
  readonly out: string;
  /** A scratch folder that is thrown away. */
  readonly scratch: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

export interface GoModule {
  readonly Dir: string;
  readonly GoMod: string;
}

const goEnv = { CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off' };
const kubernetesParts = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

/** Brings a Go module's source into Go's own module cache and says where it lies. */
export async function goModule(path: string, signal: AbortSignal): Promise<GoModule> {
  return JSON.parse(await output('go', ['mod', 'download', '-json', path], { env: goEnv, signal }));
}

/** Builds a package whose module needs no replacements. */
export async function goInstall(packageAtVersion: string, { out, logFile, signal }: BuildPlace): Promise<void> {
  const args = ['-n', '10', 'go', 'install', '-trimpath', '-ldflags', '-s -w', packageAtVersion];
  // `go install pkg@version` refuses -mod=mod.
  await runLogged(logFile, 'nice', args, { env: { ...goEnv, GOFLAGS: '-buildvcs=false', GOBIN: out }, signal });
}

/** Builds a folder of ours that has only main packages and needs no modules. */
export async function buildOwnProgram(name: string, sourceDir: string, place: BuildPlace): Promise<void> {
  copySources(sourceDir, place.scratch);
  writeFileSync(join(place.scratch, 'go.mod'), `module ${name}\n\ngo 1.24\n`);
  await goBuild(['-ldflags', '-s -w', '-o', join(place.out, name), '.'], place);
}

/** Builds all of Kubernetes and etcd as one binary, with a link for each part's name. */
export async function buildKubernetes(sourceDir: string, place: BuildPlace): Promise<void> {
  copySources(sourceDir, place.scratch);
  writeFileSync(join(place.scratch, 'go.mod'), await kubernetesGoMod(place.signal));
  await runLogged(place.logFile, 'go', ['mod', 'tidy'], { cwd: place.scratch, env: goEnv, signal: place.signal });
  const flags = `-s -w ${versionFlags()}`;
  await goBuild(['-tags', 'providerless,dockerless', '-ldflags', flags, '-o', join(place.out, 'k1s'), '.'], place);
  for (const part of kubernetesParts) symlinkSync('k1s', join(place.out, part));
}

/** Upstream Prometheus with Kubernetes discovery only; `go install` refuses it because of its replacements. */
export async function buildPrometheus(place: BuildPlace): Promise<void> {
  const path = 'github.com/prometheus/prometheus';
  const { GoMod } = await goModule(`${path}@v${versions.prometheus}`, place.signal);
  const goLine = /^go .+$/m.exec(readFileSync(GoMod, 'utf8'))?.[0];
  writeFileSync(join(place.scratch, 'go.mod'), `module prometheus-build\n\n${goLine}\n`);
  const get = ['get', `${path}/cmd/prometheus@v${versions.prometheus}`];
  await runLogged(place.logFile, 'go', get, { cwd: place.scratch, env: goEnv, signal: place.signal });
  const tags = 'remove_all_sd,enable_kubernetes_sd,netgo';
  const to = join(place.out, 'prometheus');
  await goBuild(['-tags', tags, '-ldflags', '-s -w', '-o', to, `${path}/cmd/prometheus`], place);
}

async function goBuild(args: readonly string[], { scratch, logFile, signal }: BuildPlace): Promise<void> {
  const command = ['-n', '10', 'go', 'build', '-trimpath', ...args];
  await runLogged(logFile, 'nice', command, { cwd: scratch, env: goEnv, signal });
}

function copySources(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from)) if (file.endsWith('.go')) copyFileSync(join(from, file), join(to, file));
}

/**
 * k8s.io/kubernetes names its libraries as folders of its own tree, which mean nothing to someone who requires it. Each
 * is published as v0.x of the same release, so our go.mod replaces them by those.
 */
async function kubernetesGoMod(signal: AbortSignal): Promise<string> {
  const release = `v${versions.kubernetes}`;
  const library = release.replace('v1.', 'v0.');
  const upstream = readFileSync((await goModule(`k8s.io/kubernetes@${release}`, signal)).GoMod, 'utf8');
  const etcd = /go\.etcd\.io\/etcd\/client\/v3 (v\S+)/.exec(upstream)?.[1];
  const staged = [...upstream.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)].map(([, name]) => name);
  if (etcd === undefined || staged.length === 0) throw new Error(`cannot read the go.mod of Kubernetes ${release}`);
  return [
    'module k1s\n\ngo 1.24.0\n\ngodebug default=go1.24\n\nrequire (',
    `\tk8s.io/kubernetes ${release}`,
    `\tgo.etcd.io/etcd/server/v3 ${etcd}`,
    ...['kubectl', 'component-base', 'client-go'].map((name) => `\tk8s.io/${name} ${library}`),
    ')\n\nreplace (',
    ...staged.map((name) => `\t${name} => ${name} ${library}`),
    ')\n',
  ].join('\n');
}

/** Without these, every part calls itself v0.0.0-master and refuses to work with the others. */
function versionFlags(): string {
  const [major, minor] = versions.kubernetes.split('.');
  const facts = {
    gitVersion: `v${versions.kubernetes}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'module',
    buildDate: '2026-01-01T00:00:00Z',
  };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return packages
    .flatMap((path) => Object.entries(facts).map(([name, value]) => `-X ${path}.${name}=${value}`))
    .join(' ');
}
