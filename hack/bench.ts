// bench NAME [ARGS...]: runs one benchmark, test/bench/NAME.ts or hack/bench/NAME.ts, as a process of its own. --help lists them.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readBenchArguments } from './bench/harness/arguments.ts';
import { repositoryDir } from './cluster/paths.ts';
import { run } from './process.ts';

const files = ['test/bench', 'hack/bench']
  .map((folder) => join(repositoryDir, folder))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.ts'));

const request = readBenchArguments(process.argv.slice(2), files);
if (request.kind === 'Run') {
  process.exitCode = await run(process.execPath, [request.file, ...request.args]);
} else {
  (request.kind === 'Help' ? process.stdout : process.stderr).write(`${request.text}\n`);
  process.exitCode = request.kind === 'Help' ? 0 : 2;
}
