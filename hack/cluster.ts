// cluster up|down|build|status|kubeconfig|load-image|exec: a real Kubernetes for development and tests; hack/cluster/README.md says how.
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { parseAddons } from './cluster/addons.ts';
import { binaryDir, binaryNames, ensureBinary } from './cluster/binaries.ts';
import { forward } from './cluster/forward.ts';
import { type Instance, inInstance, instanceNamed, kubeconfigOf } from './cluster/instance.ts';
import { toStderr } from './cluster/progress.ts';
import { shellLines } from './cluster/shell-lines.ts';
import { printStatus } from './cluster/status.ts';
import { ensureSystemPackages } from './cluster/system-packages.ts';
import { down, loadImage, up } from './cluster/up.ts';
import { run } from './process.ts';

const help = `usage: npm run cluster -- COMMAND [--instance NAME]

  up [--addons LIST]   start it, or complete it; LIST of gateway, prometheus, metrics-server, or "none" (default: all);
                       prints lines for your shell: eval "$(npm run -s cluster -- up)"
  down [--wipe]        end it and clean up; objects and images are kept for the next "up" unless --wipe
  status               each part: whether it lives, since when, how often it died; exit status 0 when all is well
  build                only build what "up" would, in the order in which it needs it
  kubeconfig           print the path of an administrator's kubeconfig
  load-image NAME      build the image "operator" or "shop", load it, and print the name under which pods find it
  forward PORT ADDR    answer at 127.0.0.1:PORT with what is inside at ADDR (such as 198.18.128.77:80), until Ctrl-C
  exec -- CMD ARGS     run a program inside, with kubectl in its PATH (needed for instances other than "default")
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    instance: { type: 'string' },
    addons: { type: 'string' },
    wipe: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [command, ...rest] = positionals;
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`ended by ${name}`)));

const commands: Record<string, (instance: Instance) => Promise<number>> = {
  up: async (instance) => {
    const { kubeconfig } = await up(instance, parseAddons(values.addons), stop.signal, toStderr);
    // An isolated instance cannot be reached from a shell outside.
    if (instance.isolated)
      toStderr(`reach it by: npm run cluster -- exec --instance ${instance.name} -- kubectl get nodes`);
    else console.log(shellLines(kubeconfig));
    return 0;
  },
  down: async (instance) => {
    await down(instance, { wipe: values.wipe }, stop.signal, toStderr);
    return 0;
  },
  build: async () => {
    await ensureSystemPackages(stop.signal, toStderr);
    for (const name of binaryNames) await ensureBinary(name, stop.signal, toStderr);
    return 0;
  },
  status: async (instance) => printStatus(instance),
  kubeconfig: async (instance) => {
    console.log(kubeconfigOf(instance));
    return 0;
  },
  'load-image': async (instance) => {
    console.log(await loadImage(instance, rest[0] ?? '', stop.signal));
    return 0;
  },
  forward: async (instance) => {
    const [port = '', target = ''] = rest;
    await forward(instance, Number(port), target, stop.signal);
    console.log(`http://127.0.0.1:${port} answers with ${target}`);
    await once(stop.signal, 'abort');
    return 0;
  },
  exec: (instance) => {
    const [program = 'bash', ...args] = rest;
    const env = { KUBECONFIG: kubeconfigOf(instance), PATH: `${binaryDir('k1s')}:${process.env.PATH}` };
    const [nsenter, ...inside] = inInstance(instance.name, program, args);
    return run(nsenter, inside, { env: { ...process.env, ...env } });
  },
};

const chosen = command === undefined || values.help ? undefined : commands[command];
if (chosen === undefined) {
  console.error(help);
  process.exit(values.help ? 0 : 2);
}
try {
  process.exitCode = await chosen(instanceNamed(values.instance));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
