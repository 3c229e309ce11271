import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OFREP_FLAGS } from '../../../src/evaluator/refusal.ts';
import { cpuSeconds } from '../rollback/child.ts';
import type { Round, Run } from './compare.ts';
import { bodies, SINGLE_KEY } from './flags.ts';
import type { Server } from './servers.ts';
import { runWrk, scriptOf } from './wrk.ts';

export const MODES = ['single', 'bulk'] as const;
export type Mode = (typeof MODES)[number];

const PATHS: Readonly<Record<Mode, string>> = { single: `${OFREP_FLAGS}/${SINGLE_KEY}`, bulk: OFREP_FLAGS };

export interface MeasureOptions {
  readonly mode: Mode;
  readonly rounds: number;
  readonly seconds: number;
  readonly wrkCore: number;
  readonly dir: string;
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Rounds of both servers in turn, after a shorter one that warms them up; who begins alternates. */
export async function measureRounds(ours: Server, peer: Server | undefined, options: MeasureOptions): Promise<Round[]> {
  const { mode, rounds, seconds, report } = options;
  const script = join(options.dir, `${mode}.lua`);
  writeFileSync(script, scriptOf(PATHS[mode], bodies()));
  const ask = (server: Server, forSeconds: number) => measureOne(server, script, forSeconds, options);
  const both = async (forSeconds: number, peerFirst: boolean): Promise<Round> => {
    if (peerFirst && peer) {
      const theirs = await ask(peer, forSeconds);
      return { ours: await ask(ours, forSeconds), peer: theirs };
    }
    return { ours: await ask(ours, forSeconds), peer: peer && (await ask(peer, forSeconds)) };
  };
  await both(Math.max(1, Math.round(seconds / 2)), false);
  const done: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const one = await both(seconds, round % 2 === 1);
    report(`${mode} ${round + 1}/${rounds}: ${one.ours.perSecond} a second, ${one.peer?.perSecond ?? '–'}`);
    done.push(one);
  }
  return done;
}

async function measureOne(
  { url, child, name }: Server,
  script: string,
  seconds: number,
  { wrkCore: core, signal }: MeasureOptions,
): Promise<Run> {
  child.throwIfEnded();
  const before = cpuSeconds(child.pid);
  const report = await runWrk({ url, script, seconds, core, signal });
  const cpuS = cpuSeconds(child.pid) - before;
  if (report.failed > 0) throw new Error(`${report.failed} requests to ${name} failed`);
  return { ...report, cpuUs: Math.round((cpuS * 1e6) / (report.perSecond * seconds)) };
}
