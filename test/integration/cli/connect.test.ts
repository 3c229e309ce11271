import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { connect } from '../../../src/cli/connect.ts';
import { runCli } from '../../../src/cli/program.ts';

/** A kubeconfig in a folder of its own, whose user is `user`. */
function kubeconfig(server: string, user: object = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-connect-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'me', namespace: 'shop' } }],
    clusters: [{ name: 'here', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'me', user }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

async function sluice(...args: string[]): Promise<{ exit: number; err: string }> {
  const err: string[] = [];
  const exit = await runCli(args, {
    out: () => {},
    err: (text) => void err.push(text),
    colour: false,
    clock: systemClock,
    signal: AbortSignal.timeout(50_000),
    connect,
    readText: () => Promise.reject(new Error('reads no file')),
    releaseOffline: () => Promise.reject(new Error('releases nothing')),
  });
  return { exit, err: err.join('\n') };
}

/** A server that answers everything with this; `paths` are what was asked for. */
async function answering(body: string): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths };
}

const exec = (script: string) => ({
  exec: {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', script],
    interactiveMode: 'Never',
  },
});

test('what a credential plugin complains of is told, in one line', async () => {
  const path = kubeconfig('https://127.0.0.1:1', exec('echo "token expired" >&2; echo details >&2; exit 1'));
  const { exit, err } = await sluice('get', '--kubeconfig', path);
  expect([exit, err.split('\n')[0]]).toEqual([
    5,
    'error: SLUICE_KUBE_CONFIG: cannot read the credentials of the API server: token expired',
  ]);
});

test('what a credential plugin answers is never told, because it may be a token', async () => {
  const path = kubeconfig('https://127.0.0.1:1', exec('echo secret-token'));
  const { exit, err } = await sluice('get', '--kubeconfig', path);
  expect([exit, err]).toEqual([5, expect.stringContaining('API server: it is no JSON')]);
  expect(err).not.toContain('secret');
});

test.each(['127.0.0.1', 'localhost'])('watch says why it cannot reach %s, and ends', async (host) => {
  const { exit, err } = await sluice('watch', 'catalog', '--kubeconfig', kubeconfig(`https://${host}:1`));
  expect([exit, err]).toEqual([
    5,
    expect.stringMatching(/SLUICE_KUBE_UNAVAILABLE: .*no answer \(connect ECONNREFUSED /),
  ]);
});

test('what answers but is no API server is told as such', async () => {
  const { url } = await answering('<html>Sign in</html>');
  const { exit, err } = await sluice('get', '--kubeconfig', kubeconfig(url));
  expect([exit, err]).toEqual([5, expect.stringContaining('SLUICE_KUBE_UNAVAILABLE: GET /apis/sluice.dev/')]);
  expect(err).toContain('the answer is no JSON');
});

test('an empty namespace is the context’s, not all', async () => {
  const { url, paths } = await answering('{"metadata":{},"items":[]}');
  expect((await sluice('get', '-n', '', '--kubeconfig', kubeconfig(url))).err).toContain('namespace shop');
  expect(paths).toEqual([expect.stringMatching(/\/namespaces\/shop\/rollouts\?/)]);
});

test('a kubeconfig that cannot be read is named, also where KUBECONFIG says it', async () => {
  vi.stubEnv('KUBECONFIG', '/nowhere/config');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { exit, err } = await sluice('get');
  expect([exit, err]).toEqual([5, expect.stringContaining('cannot read the kubeconfig /nowhere/config: ENOENT')]);
  const broken = kubeconfig('x');
  writeFileSync(broken, 'users: [{ name: me, user: { token: secret-token }');
  const other = await sluice('get', '--kubeconfig', broken);
  expect(other.err).toContain(`cannot read the kubeconfig ${broken}: `);
  expect(other.err).not.toContain('secret');
});
