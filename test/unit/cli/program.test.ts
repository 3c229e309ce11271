import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { SluiceError } from '../../../src/base/errors.ts';
import type { CliPorts, Connection } from '../../../src/cli/ports.ts';
import { runCli } from '../../../src/cli/program.ts';
import { readText } from '../../../src/cli/read-text.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Runs a command line against a client of which only `calls` are there; anything else that is called is a TypeError. */
async function run(args: string[], { calls = {}, ports = {} }: { calls?: object; ports?: Partial<CliPorts> } = {}) {
  const err: string[] = [];
  const out: string[] = [];
  let connected = 0;
  const client = { close: async () => {}, ...calls } as unknown as KubeClient;
  const connection: Connection = { client, namespace: 'shop', user: undefined };
  const exit = await runCli(args, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    colour: false,
    clock: new FakeClock(),
    signal: new AbortController().signal,
    connect: () => {
      connected++;
      return connection;
    },
    readText: () => Promise.reject(new Error('reads no file')),
    releaseOffline: () => Promise.reject(new Error('releases nothing')),
    ...ports,
  });
  return { exit, out: out.join('\n'), err: err.join('\n'), connected };
}

test('a mistake of ours is told as such, and never with the status of a rollback', async () => {
  expect(await run(['status', 'catalog'])).toMatchObject({
    exit: 5,
    err: expect.stringMatching(/^error: SLUICE_INTERNAL: TypeError: .*\n +This is a bug in Sluice/),
  });
});

test('what an API server says cannot steer the terminal', async () => {
  const get = () => Promise.reject(new SluiceError('SLUICE_KUBE_DENIED', 'no\u001b[2J\nway\u009b31m'));
  const { exit, err } = await run(['status', 'catalog'], { calls: { get } });
  expect([exit, err.split('\n')[0]]).toEqual([5, 'error: SLUICE_KUBE_DENIED: no [2J way 31m']);
});

test.each([
  ['a long reason', ['abort', 'catalog', '--reason', 'x'.repeat(1_025)], '--reason has more than 1024 characters'],
  ['a wait of 25 days', ['status', 'catalog', '--watch', '--timeout', '25d'], '"25d" is longer than 24d'],
  ['a wait of 600 hours', ['abort', 'catalog', '--timeout', '600h'], '"600h" is longer than 24d'],
  ['a release of 300 days', ['release', 'catalog', '--offline', '--timeout', '300d'], '"300d" is longer than 24d'],
])('%s is refused before anything is begun', async (_, args, why) => {
  const { exit, err, connected } = await run(args);
  expect([exit, connected]).toEqual([5, 0]);
  expect(err).toContain(`SLUICE_CLI_ARGUMENT: ${why}`);
});

test.each([
  [['status', '']],
  [['status', 'rollout/']],
  [['status', 'rollout/a/b']],
  [['watch', '-']],
  [['get', 'Catalog']],
  [['release', '', '--offline']],
  [['abort', '..']],
  [['init', 'deployment/']],
])('%j names nothing', async (args) => {
  const { exit, err } = await run(args as string[]);
  expect([exit, err]).toEqual([5, expect.stringContaining('SLUICE_CLI_ARGUMENT')]);
});

test.each(['deployment', 'deployments', 'deploy', 'deployment.apps', 'deployments.apps'])(
  'init knows %s',
  async (kind) => {
    const { err } = await run(['init', `${kind}/catalog`], { calls: { get: async () => undefined } });
    expect(err).toContain('SLUICE_CLI_NO_DEPLOYMENT: there is no Deployment catalog');
  },
);

test('Ctrl-C ends a command that waits for standard input', async () => {
  const stop = new AbortController();
  const stdin = new PassThrough();
  stdin.write('apiVersion: ');
  const reading = (_: string, maxBytes: number) => {
    const text = readText(stdin, maxBytes, stop.signal);
    stop.abort();
    return text;
  };
  const ports = { signal: stop.signal, readText: reading };
  expect((await run(['lint', '-f', '-'], { ports })).exit).toBe(130);
  expect(stdin.destroyed).toBe(true);
});
