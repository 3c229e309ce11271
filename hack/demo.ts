// demo [flags] [--keep] [--figures FILE]: the main job from start to end on a local cluster of its own: a release that goes up by steps,
// and one that is taken back; with "flags", flags that reach pods, with and without an operator.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addonNames } from './cluster/addons.ts';
import { enter, inHome, instanceNamed, kubeconfigOf } from './cluster/instance.ts';
import { withLock } from './cluster/lock.ts';
import { toStderr } from './cluster/progress.ts';
import { down, loadImage, up } from './cluster/up.ts';
import { cleanAfter, endSignal, run } from './process.ts';

const help = `usage: npm run demo [-- OPTIONS]
       npm run demo -- flags [OPTIONS]

Brings up a local cluster named "demo", installs Sluice with Helm and the example shop, sends load through Envoy, rolls out
v2 step by step, then v3, which fails at 25 % and is rolled back. Prints what was measured. Needs root on Linux.

With "flags": two pods of the shop with an evaluator beside each; changes a flag and shows how soon they answer by it, throws a
kill switch, kills every operator, doubles the pods, changes the flag, and brings the operator back.

  --keep           leave the cluster running; \`npm run cluster -- down --instance demo\` ends it
  --figures FILE   write what was measured into FILE as JSON
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    figures: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const isFlags = positionals[0] === 'flags';
const isWrong = positionals.length > (isFlags ? 1 : 0);
if (values.help || isWrong) {
  console[isWrong ? 'error' : 'log'](help);
  process.exit(isWrong ? 2 : 0);
}

const instance = instanceNamed('demo');
const ended = endSignal();
// Two demos at once would take each other's shop away, and the first to end the other's cluster.
const onWait = () => toStderr('waiting for another demo, which uses the cluster');
const lock = inHome(instance, 'demo.lock');
process.exitCode = await withLock(lock, onWait, () => cleanAfter(demo, cleanUp, toStderr), ended).catch(
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return ended.aborted ? 130 : 1;
  },
);

async function demo(): Promise<number> {
  // The operator waits for the definitions of Gateway API; flags ask for nothing else.
  const needless = isFlags ? ['metrics-server', 'prometheus'] : ['metrics-server'];
  const addons = addonNames.filter((name) => !needless.includes(name));
  await up(instance, addons, ended, toStderr);
  toStderr('building the images of the operator and the shop');
  const operator = await loadImage(instance, 'operator', ended);
  const shop = await loadImage(instance, 'shop', ended);
  const figures = values.figures === undefined ? [] : [resolve(values.figures)];
  const story = isFlags ? 'hack/demo/flags-story.ts' : 'hack/demo/story.ts';
  const [command, ...args] = enter(instance, process.execPath, [story, operator, shop, ...figures]);
  return run(command, args, { env: { ...process.env, KUBECONFIG: kubeconfigOf(instance) } }, ended);
}

async function cleanUp(): Promise<void> {
  if (values.keep)
    toStderr(
      'kept: `npm run cluster -- exec --instance demo -- kubectl get slr,slf -A` looks inside, `npm run cluster -- down --instance demo` ends it',
    );
  else await down(instance, { wipe: false }, AbortSignal.timeout(120_000), toStderr);
}
