import { binaryDir } from './binaries.ts';

/** Lines for a POSIX shell after which `kubectl` and `helm` there are ours and talk to the cluster of that kubeconfig. */
export function shellLines(kubeconfig: string): string {
  const dirs = (['k1s', 'helm'] as const).map((name) => quoted(binaryDir(name)));
  return `export KUBECONFIG=${quoted(kubeconfig)}\nexport PATH=${dirs.join(':')}:"$PATH"`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
