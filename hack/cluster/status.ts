import { groupProcesses } from './cgroup.ts';
import { holderOf, type Instance } from './instance.ts';
import { isRunning, supervisorState } from './supervisor-state.ts';

/** Prints one line a part; answers 0 when all of them run, 1 when not, 3 when the cluster is down. */
export function printStatus(instance: Instance): number {
  const state = supervisorState(instance.home);
  if (state === undefined || holderOf(instance) === undefined) {
    const left = groupProcesses(instance.group).length;
    console.log(left === 0 ? 'down' : `crashed: no supervisor, but ${left} processes are left ("up" or "down" helps)`);
    return left === 0 ? 3 : 1;
  }
  const rows = state.parts.map((part) => {
    const { lastDeath, restarts, process } = part;
    const alive = isRunning(part);
    const died = lastDeath ? `died ${restarts}x, last with ${lastDeath.status} at ${time(lastDeath.atMs)}` : '';
    const phase = alive ? 'running' : part.phase === 'waiting' ? 'waiting' : 'dead';
    return [part.name, phase, alive ? `${process?.pid}` : '', alive ? `since ${time(part.sinceMs ?? 0)}` : '', died];
  });
  const all = [
    ['supervisor', 'running', `${state.supervisor.pid}`, `since ${time(state.supervisor.sinceMs)}`, ''],
    ...rows,
  ];
  for (const [name = '', phase = '', pid = '', since = '', died = ''] of all) {
    console.log(`${name.padEnd(24)} ${phase.padEnd(8)} ${pid.padStart(7)} ${since.padEnd(26)} ${died}`.trimEnd());
  }
  return state.parts.every(isRunning) ? 0 : 1;
}

const time = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
