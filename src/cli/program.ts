import { Argument, Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { type Action, MAX_REASON_CHARS } from '../api/action.ts';
import { durationOfAtLeast } from '../api/duration.ts';
import type { RolloutSpec } from '../api/rollout.ts';
import { codes, SluiceError } from '../base/errors.ts';
import { act } from './act.ts';
import { describeRollout } from './describe.ts';
import { addFlagCommands } from './flag-commands.ts';
import { follow, followToEnd, stateLine } from './follow.ts';
import { rolloutDocument, rolloutTable } from './get.ts';
import { IMPORT_FROM, type ImportFrom, importFile, MAX_IMPORT_BYTES } from './import.ts';
import { findFor } from './init.ts';
import { initManifest } from './init-manifest.ts';
import { findingText, lintFiles, MAX_FILE_BYTES } from './lint.ts';
import { type CliPorts, type ConnectFlags, type Connection, type Exit, exits } from './ports.ts';
import { getRollout, nameOf, rolloutName, rollouts, statusOf } from './rollouts.ts';
import { coloursFor, firstLine, withoutControls } from './text.ts';

/** Runs one command line (without the program's own name) and answers its exit status. Throws nothing a user can cause. */
export async function runCli(args: readonly string[], ports: CliPorts): Promise<Exit> {
  const ran: { exit: Exit } = { exit: exits.ok };
  const program = programOf(ports, (exit) => {
    ran.exit = exit;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return ran.exit;
  } catch (error) {
    return exitOf(error, ports);
  }
}

function exitOf(error: unknown, { signal, err }: CliPorts): Exit {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok : exits.failed;
  if (signal.aborted) return exits.interrupted;
  const known = error instanceof SluiceError ? error : new SluiceError('SLUICE_INTERNAL', String(error), {}, error);
  err(`error: ${withoutControls(known.message)}\n       ${codes[known.code].fix}`);
  return exits.failed;
}

/**
 * What the program ends with when its answer cannot be written. Never with a status that says something of a rollout: a reader that went
 * away (`| head`) ends it as SIGPIPE ends kubectl.
 */
export function endOfOutput(error: Error & { readonly code?: string }, { err }: Pick<CliPorts, 'err'>): Exit {
  if (error.code === 'EPIPE') return exits.unread;
  const { message } = new SluiceError('SLUICE_CLI_OUTPUT', `cannot write the answer: ${firstLine(error)}`);
  err(`error: ${message}\n       ${codes.SLUICE_CLI_OUTPUT.fix}`);
  return exits.failed;
}

type SetExit = (exit: Exit) => void;

function programOf(ports: CliPorts, setExit: SetExit): Command {
  const program = new Command('kubectl sluice')
    .description('Watch and steer rollouts and feature flags of Sluice.')
    .usage('COMMAND')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => ports.out(text.trimEnd()),
      writeErr: (text) => ports.err(text.trimEnd()),
    })
    .addHelpText(
      'after',
      '\nExit status: 0 good, 1 bad news, 5 the command failed; `status` has more. docs/cli.md tells all.',
    );
  addReaders(program, ports, setExit);
  addAction(program, ports, setExit, {
    name: 'promote',
    description: 'Skip to the next approve step, or to the end of the steps.',
    flag: new Option('--full', 'to 100 % without further steps; guardrails stay on'),
    kind: ({ full }) => (full ? 'promote-full' : 'promote'),
  });
  addAction(program, ports, setExit, {
    name: 'abort',
    description: 'Take all traffic back to stable, now.',
    flag: new Option('--force', 'even if stable has no ready pod'),
    kind: ({ force }) => (force ? 'abort-force' : 'abort'),
  });
  for (const [name, description, kind] of simpleActions)
    addAction(program, ports, setExit, { name, description, kind: () => kind });
  addRelease(program, ports, setExit);
  addLint(program, ports, setExit);
  addInit(program, ports);
  addImport(program, ports, setExit);
  addFlagCommands(program, {
    ports,
    setExit,
    connecting,
    connected: (flags, use) => connected(ports, flags, use),
  });
  return program;
}

const simpleActions = [
  ['approve', 'Let a rollout that waits for a person go on.', 'approve'],
  ['pause', 'Stay at the present step; guardrails go on.', 'pause'],
  ['resume', 'Go on after `pause`.', 'resume'],
  ['retry', 'Try the revision that was rolled back once more.', 'retry'],
] as const satisfies readonly (readonly [string, string, Action['action']])[];

/** kubectl's own flags, on a command that talks to the API server. */
function connecting(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace; default: the context’s')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'default: KUBECONFIG, then ~/.kube/config');
}

async function connected<T>(
  ports: CliPorts,
  flags: ConnectFlags,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = ports.connect(flags);
  try {
    return await use(connection);
  } finally {
    await connection.client.close(0);
  }
}

interface GetFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly output?: 'json' | 'yaml' | 'wide';
}

interface StatusFlags extends ConnectFlags {
  readonly watch?: boolean;
  readonly timeout: number;
}

function addReaders(program: Command, ports: CliPorts, setExit: SetExit): void {
  connecting(program.command('get').description('List Rollouts.').argument('[name]', 'only this one'))
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(new Option('-o, --output <format>', 'how').choices(['wide', 'json', 'yaml']))
    .action((name: string | undefined, flags: GetFlags) =>
      connected(ports, flags, (to) => get(ports, to, name, flags)),
    );
  connecting(
    program.command('watch').description('Tell each change of a Rollout until Ctrl-C.').argument('<name>'),
  ).action((name: string, flags: ConnectFlags) =>
    connected(ports, flags, (to) => follow(to, { ...following(ports), name: rolloutName(name) }, ports.signal)),
  );
  connecting(program.command('status').description('Where a Rollout stands, or how it ended.').argument('<name>'))
    .option('-w, --watch', 'wait until what the Deployment asks for now is promoted or rolled back')
    .addOption(timeoutOption('how long to wait', 3_600_000, '1h'))
    .addHelpText('after', STATUS_HELP)
    .action((name: string, flags: StatusFlags) =>
      connected(ports, flags, async (to) => setExit(await status(ports, to, rolloutName(name), flags))),
    );
}

const STATUS_HELP = `
Exit status: 0 promoted (or nothing to do), 1 rolled back, 2 timed out, 3 still in flight (without --watch),
4 another template took its place, 5 the command failed.`;

const following = (ports: CliPorts) => ({
  clock: ports.clock,
  colours: coloursFor(ports.colour),
  tell: (line: string) => ports.out(line),
  warn: (line: string) => ports.err(line),
});

async function get(ports: CliPorts, to: Connection, argument: string | undefined, flags: GetFlags): Promise<void> {
  const { signal } = ports;
  const { allNamespaces = false, output } = flags;
  const name = argument === undefined ? undefined : rolloutName(argument);
  if (name !== undefined && allNamespaces)
    throw new SluiceError('SLUICE_CLI_ARGUMENT', 'a name and --all-namespaces exclude each other');
  const selection = allNamespaces ? {} : { namespace: to.namespace };
  const items =
    name === undefined
      ? (await to.client.list(rollouts, selection, { signal })).items
      : [await getRollout(to, name, signal)];
  if (output === 'json' || output === 'yaml') return ports.out(rolloutDocument(items, name !== undefined, output));
  if (items.length === 0)
    return ports.err(allNamespaces ? 'No Rollouts found.' : `No Rollouts found in namespace ${to.namespace}.`);
  const view = { colours: coloursFor(ports.colour), now: ports.clock.now(), wide: output === 'wide', allNamespaces };
  ports.out(rolloutTable(items, view));
}

async function status(ports: CliPorts, to: Connection, name: string, { watch, timeout }: StatusFlags): Promise<Exit> {
  if (!watch) {
    const object = await getRollout(to, name, ports.signal);
    ports.out(describeRollout(object, coloursFor(ports.colour), ports.clock.now()));
    const { inFlight, rolledBack } = statusOf(object);
    if (inFlight) return exits.inFlight;
    return rolledBack ? exits.negative : exits.ok;
  }
  const limit = AbortSignal.timeout(timeout);
  try {
    const end = await followToEnd(to, { ...following(ports), name }, AbortSignal.any([ports.signal, limit]));
    return { Promoted: exits.ok, RolledBack: exits.negative, Superseded: exits.superseded }[end];
  } catch (error) {
    if (!limit.aborted || ports.signal.aborted) throw error;
    ports.err(`${name} did not end within ${timeout / 1000} s`);
    return exits.timedOut;
  }
}

interface ActionFlags extends ConnectFlags {
  readonly reason?: string;
  readonly timeout: number;
  readonly full?: boolean;
  readonly force?: boolean;
}

interface ActionCommand {
  readonly name: string;
  readonly description: string;
  readonly flag?: Option;
  kind(flags: ActionFlags): Action['action'];
}

function addAction(
  program: Command,
  ports: CliPorts,
  setExit: SetExit,
  { name, description, flag, kind }: ActionCommand,
): void {
  const command = connecting(program.command(name).description(description).argument('<name>', 'of the Rollout'))
    .addOption(reasonOption())
    .addOption(timeoutOption('how long to wait for the operator', ACTION_MS, '30s'));
  if (flag) command.addOption(flag);
  command.action((argument: string, flags: ActionFlags) =>
    connected(ports, flags, async (to) => setExit(await ask(ports, to, argument, kind(flags), flags))),
  );
}

const ACTION_MS = 30_000;

async function ask(
  ports: CliPorts,
  to: Connection,
  argument: string,
  action: Action['action'],
  { reason, timeout: timeoutMs }: Pick<ActionFlags, 'reason' | 'timeout'>,
): Promise<Exit> {
  const warn = (line: string) => ports.err(line);
  const asked = { name: rolloutName(argument), action, reason, timeoutMs, warn };
  const answer = await act(to, ports.clock, asked, ports.signal);
  if (answer.refused) {
    ports.err(`${asked.name}: ${answer.message}`);
    return exits.negative;
  }
  ports.out(`${asked.name}: ${answer.message}\n${stateLine(answer.status, coloursFor(ports.colour))}`);
  return exits.ok;
}

interface ReleaseFlags extends Omit<ActionFlags, 'timeout' | 'force'> {
  readonly force?: boolean | undefined;
  readonly timeout?: number | undefined;
  readonly offline?: boolean;
  readonly onDelete?: RolloutSpec['onDelete'] | undefined;
}

/** Offline, the draining alone takes a minute with the defaults. */
const OFFLINE_MS = 600_000;

function addRelease(program: Command, ports: CliPorts, setExit: SetExit): void {
  connecting(
    program
      .command('release')
      .description('Let the held Deployment go: traffic to stable, then it updates by itself.')
      .argument('<name>', 'of the Rollout'),
  )
    .addOption(reasonOption())
    .option('--offline', 'the operator is gone for good: delete the Rollout and put everything back from here')
    .addOption(
      new Option(
        '--on-delete <what>',
        'with --offline: what becomes of a held Deployment; default: spec.onDelete',
      ).choices(['KeepHeld', 'RestoreStable', 'Release'] satisfies RolloutSpec['onDelete'][]),
    )
    .option('--force', 'with --offline: do not ask whether an operator is alive')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait; default: 30s, with --offline 10m').argParser(duration),
    )
    .action((argument: string, { offline, onDelete, force, timeout, ...flags }: ReleaseFlags) =>
      connected(ports, flags, async (to) => {
        if (offline) return releaseFromHere(ports, to, rolloutName(argument), { onDelete, force, timeout });
        if (onDelete !== undefined || force)
          throw new SluiceError('SLUICE_CLI_ARGUMENT', '--on-delete and --force make sense only with --offline');
        setExit(await ask(ports, to, argument, 'release', { ...flags, timeout: timeout ?? ACTION_MS }));
      }),
    );
}

async function releaseFromHere(
  ports: CliPorts,
  to: Connection,
  name: string,
  { onDelete, force = false, timeout = OFFLINE_MS }: Pick<ReleaseFlags, 'onDelete' | 'force' | 'timeout'>,
): Promise<void> {
  await getRollout(to, name, ports.signal);
  const { client, namespace } = to;
  const asked = { namespace, name, onDelete, force, timeoutMs: timeout };
  await ports.releaseOffline(
    { client, clock: ports.clock, tell: (line) => ports.err(withoutControls(line)) },
    asked,
    ports.signal,
  );
  ports.out(`${name}: released, and nothing of Sluice is left`);
}

function addLint(program: Command, ports: CliPorts, setExit: SetExit): void {
  program
    .command('lint')
    .description('Check Rollouts, Metrics and FeatureFlags in files, without a cluster.')
    .requiredOption('-f, --filename <file...>', 'YAML files, or - for standard input')
    .option('--strict', 'doubts count as problems')
    .action(async ({ filename, strict = false }: { filename: string[]; strict?: boolean }) => {
      const files = await Promise.all(
        filename.map(async (name) => [name, await ports.readText(name, MAX_FILE_BYTES)] as const),
      );
      const { findings, checked, others } = lintFiles(files);
      for (const finding of findings) ports.out(findingText(finding));
      ports.err(`${checked} checked, ${others} of other kinds, ${findings.length} to look at`);
      const bad = findings.some(({ severity }) => strict || severity === 'Error');
      setExit(bad ? exits.negative : exits.ok);
    });
}

function addImport(program: Command, ports: CliPorts, setExit: SetExit): void {
  program
    .command('import')
    .description('Print flags of another system as FeatureFlags that keep every user’s variant.')
    .addArgument(new Argument('<from>', 'whose file it is').choices(IMPORT_FROM))
    .argument('<file>', 'JSON or YAML, or - for standard input')
    .action(async (from: ImportFrom, file: string) => {
      const result = importFile(from, file, await ports.readText(file, MAX_IMPORT_BYTES));
      if (result.taken > 0) ports.out(result.manifests);
      for (const remark of result.remarks) ports.err(remark);
      ports.err(`${result.taken} imported, ${result.refused} refused`);
      setExit(result.refused > 0 ? exits.negative : exits.ok);
    });
}

function addInit(program: Command, ports: CliPorts): void {
  connecting(
    program
      .command('init')
      .description('Print a Rollout that fits a Deployment.')
      .argument('<deployment>', 'deployment/NAME'),
  ).action((argument: string, flags: ConnectFlags) =>
    connected(ports, flags, async (to) => {
      const name = nameOf(argument, 'deployment', 'deploy', 'deployment.apps', 'deployments.apps');
      ports.out(initManifest(await findFor(to, name, ports.signal)));
    }),
  );
}

const timeoutOption = (what: string, defaultMs: number, shown: string): Option =>
  new Option('--timeout <duration>', what).argParser(duration).default(defaultMs, shown);

const reasonOption = (): Option =>
  new Option('--reason <text>', 'for the history').argParser((text: string) => {
    if (text.length <= MAX_REASON_CHARS) return text;
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `--reason has more than ${MAX_REASON_CHARS} characters`);
  });

/** What a timer of Node can hold; after a longer time it would fire at once. */
const MAX_TIMEOUT_MS = 24 * 86_400_000;

const durationSchema = durationOfAtLeast('1s', 'How long.');

/** `90s`, `1h30m`: milliseconds. */
function duration(text: string): number {
  const parsed = z.safeParse(durationSchema, text);
  if (!parsed.success)
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `"${text}" is not a duration of at least 1s, such as 90s or 1h30m`);
  if (parsed.data > MAX_TIMEOUT_MS)
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `"${text}" is longer than 24d, the longest that can be waited`);
  return parsed.data;
}
