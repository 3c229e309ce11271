import { type Command, Option } from 'commander';
import { SluiceError } from '../base/errors.ts';
import { type FlagObject, featureFlags } from '../flags/flag-object.ts';
import { contextOf, evaluateFlag } from './flag-eval.ts';
import { flagTable, historyTable } from './flag-text.ts';
import { change, type FlagChange, kill, type RolledBack, rollBack, type Written } from './flag-write.ts';
import { flagStatusOf, getFlag } from './flags.ts';
import { rolloutDocument as document } from './get.ts';
import { type CliPorts, type ConnectFlags, type Connection, type Exit, exits } from './ports.ts';
import { coloursFor, jsonText } from './text.ts';

/** What the program gives to a group of commands. */
export interface CommandKit {
  readonly ports: CliPorts;
  setExit(exit: Exit): void;
  /** kubectl's own flags, on a command that talks to the API server. */
  connecting(command: Command): Command;
  connected<T>(flags: ConnectFlags, use: (connection: Connection) => Promise<T>): Promise<T>;
}

export function addFlagCommands(program: Command, kit: CommandKit): void {
  const flag = program.command('flag').description('Look at and change feature flags.').helpCommand(false);
  addGet(flag, kit);
  addSet(flag, kit);
  addKill(flag, kit);
  addHistory(flag, kit);
  addRollback(flag, kit);
  addEval(flag, kit);
}

interface GetFlags extends ConnectFlags {
  readonly allNamespaces?: boolean;
  readonly output?: 'json' | 'yaml';
}

function addGet(flag: Command, { ports, connecting, connected }: CommandKit): void {
  connecting(flag.command('get').description('List FeatureFlags.').argument('[key]', 'only this one'))
    .option('-A, --all-namespaces', 'of all namespaces')
    .addOption(new Option('-o, --output <format>', 'how').choices(['json', 'yaml']))
    .action((key: string | undefined, flags: GetFlags) =>
      connected(flags, async (to) => {
        const { allNamespaces = false, output } = flags;
        if (key !== undefined && allNamespaces)
          throw new SluiceError('SLUICE_CLI_ARGUMENT', 'a key and --all-namespaces exclude each other');
        const items = await listed(to, key, allNamespaces, ports.signal);
        if (output) return ports.out(document(items, key !== undefined, output));
        if (items.length === 0) return ports.err('No FeatureFlags found.');
        ports.out(flagTable(items, { colours: coloursFor(ports.colour), now: ports.clock.now(), allNamespaces }));
      }),
    );
}

async function listed(
  to: Connection,
  key: string | undefined,
  allNamespaces: boolean,
  signal: AbortSignal,
): Promise<readonly FlagObject[]> {
  if (key !== undefined) return [await getFlag(to, key, signal)];
  const selection = allNamespaces ? {} : { namespace: to.namespace };
  return (await to.client.list(featureFlags, selection, { signal })).items;
}

interface SetFlags extends ConnectFlags {
  readonly enabled?: 'true' | 'false';
  readonly default?: string;
  readonly weights?: string;
}

function addSet(flag: Command, { ports, connecting, connected }: CommandKit): void {
  connecting(flag.command('set').description('Change a FeatureFlag.').argument('<key>', 'of the flag'))
    .addOption(new Option('--enabled <yes>', 'whether it has a value at all').choices(['true', 'false']))
    .option('--default <variant>', 'what is served when no rule decides')
    .option('--weights <rule:variant=weight,…>', 'weights of the split of a rule, such as ramp:on=20,off=80')
    .action((key: string, flags: SetFlags) => {
      const wanted = wantedOf(flags);
      return connected(flags, async (to) => tell(ports, await change(to, key, wanted, ports.signal), 'changed'));
    });
}

function wantedOf({ enabled, default: defaultVariant, weights }: SetFlags): FlagChange {
  if (enabled === undefined && defaultVariant === undefined && weights === undefined)
    throw new SluiceError('SLUICE_CLI_ARGUMENT', 'say what to change: --enabled, --default or --weights');
  return {
    ...(enabled !== undefined && { enabled: enabled === 'true' }),
    ...(defaultVariant !== undefined && { defaultVariant }),
    ...(weights !== undefined && { weights: weightsOf(weights) }),
  };
}

/** `ramp:on=20,off=80`. */
function weightsOf(text: string): NonNullable<FlagChange['weights']> {
  const colon = text.lastIndexOf(':');
  const pairs = text
    .slice(colon + 1)
    .split(',')
    .map((pair) => /^(.+)=(\d+(?:\.\d{1,2})?)$/.exec(pair));
  if (colon <= 0 || pairs.some((pair) => pair === null))
    throw new SluiceError('SLUICE_CLI_ARGUMENT', `"${text}" is not like ramp:on=20,off=80`);
  const byVariant = new Map(pairs.map((pair) => [pair?.[1] ?? '', Number(pair?.[2])]));
  return { rule: text.slice(0, colon), byVariant };
}

function addKill(flag: Command, { ports, connecting, connected }: CommandKit): void {
  connecting(flag.command('kill').description('Give everyone offVariant, now.').argument('<key>', 'of the flag'))
    .option('--undo', 'turn the kill switch off again')
    .action((key: string, flags: ConnectFlags & { readonly undo?: boolean }) =>
      connected(flags, async (to) => {
        const written = await kill(to, key, !flags.undo, ports.signal);
        tell(ports, written, flags.undo ? 'alive again' : 'killed');
      }),
    );
}

function addHistory(flag: Command, { ports, connecting, connected }: CommandKit): void {
  connecting(
    flag.command('history').description('Revisions of a FeatureFlag.').argument('<key>', 'of the flag'),
  ).action((key: string, flags: ConnectFlags) =>
    connected(flags, async (to) => {
      const { history } = flagStatusOf(await getFlag(to, key, ports.signal));
      if (history.length === 0) return ports.err(`${key} has no history yet: the operator has not seen it.`);
      ports.out(historyTable(history));
    }),
  );
}

function addRollback(flag: Command, { ports, connecting, connected }: CommandKit): void {
  connecting(flag.command('rollback').description('Go back to a former revision.').argument('<key>', 'of the flag'))
    .option('--to <revision>', 'its number; default: the newest accepted one before the present', revisionOf)
    .action((key: string, flags: ConnectFlags & { readonly to?: number }) =>
      connected(flags, async (to) => {
        const back = await rollBack(to, key, flags.to, ports.signal);
        tell(ports, back, `back at what it was in revision ${back.revision}${aliveText(back)}`);
      }),
    );
}

function aliveText({ key, wasKilled, isKilled }: RolledBack): string {
  if (isKilled) return `; ${wasKilled ? 'still' : 'now'} killed: \`flag kill ${key} --undo\` serves it`;
  return wasKilled ? '; alive again' : '';
}

function revisionOf(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new SluiceError('SLUICE_CLI_ARGUMENT', `"${text}" is not the number of a revision`);
}

interface EvalFlags {
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly kubeContext?: string;
  readonly context: string;
}

function addEval(flag: Command, { ports, setExit, connected }: CommandKit): void {
  flag
    .command('eval')
    .description('What a FeatureFlag answers, computed here as evaluators compute it.')
    .argument('<key>', 'of the flag')
    .option('--context <json>', 'evaluation context', '{}')
    .option('-n, --namespace <name>', 'namespace; default: the context’s')
    .option('--kube-context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'default: KUBECONFIG, then ~/.kube/config')
    .action((asked: string, { context: text, kubeContext, ...flags }: EvalFlags) => {
      const context = contextOf(text);
      return connected({ ...flags, ...(kubeContext !== undefined && { context: kubeContext }) }, async (to) => {
        const { key, answer } = await evaluateFlag(to, { key: asked, context, now: ports.clock.now() }, ports.signal);
        const { kind: _, assignment: __, ...shown } = { assignment: undefined, ...answer };
        ports.out(jsonText({ key, ...shown }));
        setExit(answer.kind === 'Failed' ? exits.negative : exits.ok);
      });
    });
}

function tell(ports: CliPorts, { key, applier }: Written, what: string): void {
  ports.out(`${key}: ${what}`);
  if (applier === undefined) return;
  ports.err(`warning: ${applier} applies this flag and may overwrite the change: make it there too`);
}
