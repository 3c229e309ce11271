import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cluster/paths.ts';

/**
 * The folder of programs of a virtual environment with these packages (`name==version`) from PyPI, in the cache folder. It is made
 * when it is not there or has others, which takes about a minute. Needs python3 with venv.
 */
export function pythonVenv(name: string, packages: readonly string[]): string {
  const home = join(cacheDir(), name);
  const bin = join(home, 'bin');
  const [wanted, stamp] = [packages.join(' '), join(home, 'sluice-packages')];
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return bin;
  process.stderr.write(`installing ${wanted} into ${home} (about a minute)\n`);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const options: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 };
  execFileSync('python3', ['-m', 'venv', home], options);
  execFileSync(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', ...packages], options);
  // Last, so that a broken installation is made anew.
  writeFileSync(stamp, wanted);
  return bin;
}
