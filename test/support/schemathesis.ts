import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonVenv } from '../../hack/python-venv.ts';

/** Pinned with all that it draws its cases from, so that a seed means the same cases everywhere. */
const PACKAGES = ['schemathesis==4.32.5', 'hypothesis==6.170.15'];

export interface Examination {
  /** Where the server is. */
  readonly url: string;
  /** Path of its OpenAPI document. */
  readonly document: string;
  /** PEM, for https. */
  readonly ca?: string;
  /** For the security scheme `token`; kept out of reports by schemathesis. */
  readonly token?: string;
  /** Cases of each operation, for each of the phases that draw them. */
  readonly examples: number;
  /** The text of schemathesis.toml. */
  readonly config: string;
}

/**
 * Holds a running server to its own OpenAPI document: cases that fit and that do not, drawn by a fixed seed, and every check that
 * schemathesis has unless `config` says otherwise. Answers its exit status (0: nothing found) and its report.
 */
export async function examine(
  { url, document, ca, token, examples, config }: Examination,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly report: string }> {
  const bin = pythonVenv('schemathesis-venv', PACKAGES);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-schemathesis-'));
  try {
    const auth = token === undefined ? '' : `\n[auth.openapi.token]\nbearer = "${token}"\n`;
    writeFileSync(join(folder, 'schemathesis.toml'), `${config}${auth}`);
    if (ca !== undefined) writeFileSync(join(folder, 'ca.crt'), ca);
    const args = [
      ...['--config-file', join(folder, 'schemathesis.toml'), 'run', `${url}${document}`, '--no-color'],
      ...['--seed', '1', '--max-examples', String(examples), '--generation-database', 'none', '--continue-on-failure'],
      ...(ca === undefined ? [] : ['--tls-verify', join(folder, 'ca.crt')]),
    ];
    const child = spawn(join(bin, 'st'), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], signal });
    let report = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        report += text;
      });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status: status ?? -1, report };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
