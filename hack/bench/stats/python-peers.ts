import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../cluster/paths.ts';

/** As installed together from PyPI; a figure is only as good as the version it names. */
const packages = ['gbstats==0.8.0', 'scipy==1.17.1'];

export interface PeerFigure {
  readonly analysis: string;
  readonly peer: string;
  readonly microseconds: number;
  /** One row a case. */
  readonly results: readonly (readonly number[])[];
}

export interface PeerAnswer {
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: readonly PeerFigure[];
}

/** Runs peers.py on the input, in a virtual environment that is made in the cache folder when it is not there. Needs python3 with venv. */
export function askPeers(input: object): PeerAnswer {
  const output = execFileSync(pythonOfPeers(), [join(import.meta.dirname, 'peers.py')], {
    input: JSON.stringify(input),
    stdio: ['pipe', 'pipe', 'inherit'],
    maxBuffer: 16 * 2 ** 20,
    timeout: 300_000,
  });
  return JSON.parse(output.toString()) as PeerAnswer;
}

function pythonOfPeers(): string {
  const home = join(cacheDir(), 'bench-venv');
  const python = join(home, 'bin', 'python');
  const [wanted, stamp] = [packages.join(' '), join(home, 'sluice-packages')];
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  process.stderr.write(`installing ${wanted} into ${home} (about a minute)\n`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 };
  execFileSync('python3', ['-m', 'venv', home], options);
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], options);
  // Last, so that a broken installation is made anew.
  writeFileSync(stamp, wanted);
  return python;
}
