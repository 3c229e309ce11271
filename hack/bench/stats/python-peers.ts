import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pythonVenv } from '../../python-venv.ts';

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
  const output = execFileSync(
    join(pythonVenv('bench-venv', packages), 'python'),
    [join(import.meta.dirname, 'peers.py')],
    {
      input: JSON.stringify(input),
      stdio: ['pipe', 'pipe', 'inherit'],
      maxBuffer: 16 * 2 ** 20,
      timeout: 300_000,
    },
  );
  return JSON.parse(output.toString()) as PeerAnswer;
}
