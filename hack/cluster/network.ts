import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from './addresses.ts';
import { output, succeeds } from './command.ts';
import { enter, type Instance, inHome } from './instance.ts';
import { withLock } from './lock.ts';
import { cacheDir } from './paths.ts';
import { readIfThere, writeIfChanged } from './write-whole.ts';

/** Carries the node's address, and swallows what no rule of kube-proxy catches. A bridge, as some kernels have no dummy. */
const NODE_LINK = 'sluice0';
/** The bridge of the pods. */
export const POD_LINK = 'sluice-br0';
/** Drops what would leave the machine with one of our addresses. */
const GUARD = 'SLUICE-GUARD';

const BRIDGE_SETTINGS = '/proc/sys/net/bridge';
const bridgeFilters = ['bridge-nf-call-iptables', 'bridge-nf-call-ip6tables', 'bridge-nf-call-arptables'];

/** Kernel settings that we, kube-proxy or the CNI plugins change in the machine's network. */
const sysctls = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  ...bridgeFilters.map((name) => `net/bridge/${name}`),
];

const upScript = `
if ! ip link show ${NODE_LINK} >/dev/null 2>&1; then
  ip link add ${NODE_LINK} type bridge
  ip addr add ${addresses.node}/32 dev ${NODE_LINK}
  ip link set ${NODE_LINK} up
  ip route add ${addresses.all} dev ${NODE_LINK}
fi
echo 1 > /proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables; fi
if ! iptables -w -n -L ${GUARD} >/dev/null 2>&1; then
  iptables -w -N ${GUARD}
  iptables -w -A ${GUARD} -o lo -j RETURN
  iptables -w -A ${GUARD} -o sluice+ -j RETURN
  iptables -w -A ${GUARD} -j DROP
  iptables -w -I FORWARD -s ${addresses.all} -j ${GUARD}
  iptables -w -I OUTPUT -d ${addresses.all} -j ${GUARD}
fi
`;

/** Makes the instance's links, routes and guard rules; what exists already is left alone. */
export async function networkUp(instance: Instance, signal: AbortSignal): Promise<void> {
  const loadModule = async () => void (await succeeds('modprobe', ['br_netfilter'], { signal }));
  const loadOnce = () => loadBridgeFilter(loadModule);
  await withLock(join(cacheDir(), 'locks', 'br_netfilter.lock'), () => {}, loadOnce, signal);
  if (!instance.isolated) rememberSysctls(instance);
  const [command, ...args] = enter(instance, 'sh', ['-e']);
  await output(command, args, { input: upScript, signal });
}

/**
 * Removes links, rules and settings from the machine's network. An isolated instance needs none of this: its network is
 * gone with its last process.
 */
export async function networkDown(instance: Instance, signal: AbortSignal): Promise<void> {
  if (instance.isolated) return;
  for (const link of [POD_LINK, NODE_LINK]) {
    const exists = await succeeds('ip', ['link', 'show', link], { signal });
    if (exists) await output('ip', ['link', 'delete', link], { signal });
  }
  for (const family of ['iptables', 'ip6tables']) await removeRules(family, signal);
  restoreSysctls(instance);
}

/**
 * Brings the kernel's filter of bridged packets, unless it is there: a cluster turns it on in its own network. The module turns it
 * on in every network as it is loaded, so the machine's is turned off again at once; nobody unloads modules.
 */
export async function loadBridgeFilter(load: () => Promise<void>, dir = BRIDGE_SETTINGS): Promise<void> {
  if (existsSync(dir)) return;
  await load();
  for (const path of bridgeFilters.map((name) => join(dir, name))) if (existsSync(path)) writeFileSync(path, '0\n');
}

/** Removes the chains of kube-proxy, kubelet, the CNI plugins and ours, and the rules that lead to them, at one stroke a table. */
async function removeRules(family: string, signal: AbortSignal): Promise<void> {
  const saved = await output(`${family}-save`, [], { signal });
  const script = removalScript(saved);
  if (script !== '') await output(`${family}-restore`, ['--noflush', '-w'], { input: script, signal });
}

/** From what iptables-save says, the input of `iptables-restore --noflush` that removes what is ours. */
export function removalScript(saved: string): string {
  const ours = /^(KUBE|CNI|SLUICE)-/;
  const tables = saved.split(/^\*/m).slice(1);
  const scripts = tables.map((table) => {
    const lines = table.split('\n');
    const chains = lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []).filter((chain) => ours.test(chain));
    if (chains.length === 0) return '';
    const jumps = lines.filter((line) => {
      const [, from = '', to = ''] = /^-A (\S+) .*-[jg] (\S+)/.exec(line) ?? [];
      return !ours.test(from) && ours.test(to);
    });
    return [
      `*${lines[0]}`,
      ...chains.map((chain) => `:${chain} - [0:0]`), // naming a chain so empties it
      ...jumps.map((line) => line.replace('-A', '-D')),
      ...chains.map((chain) => `-X ${chain}`),
      'COMMIT\n',
    ].join('\n');
  });
  return scripts.join('');
}

const sysctlFile = (instance: Instance) => inHome(instance, 'run', 'sysctls.json');

/** Once, before the first change: a crash must not make our own values look like the machine's. */
function rememberSysctls(instance: Instance): void {
  if (existsSync(sysctlFile(instance))) return;
  const known = sysctls.filter((name) => existsSync(`/proc/sys/${name}`));
  const values = known.map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]);
  writeIfChanged(sysctlFile(instance), JSON.stringify(Object.fromEntries(values)));
}

function restoreSysctls(instance: Instance): void {
  const remembered = readIfThere(sysctlFile(instance));
  if (remembered === undefined) return;
  for (const [name, value] of Object.entries<string>(JSON.parse(remembered))) {
    writeFileSync(`/proc/sys/${name}`, `${value}\n`);
  }
  rmSync(sysctlFile(instance));
}
