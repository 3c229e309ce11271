import { readFileSync } from 'node:fs';
import { beforeAll, expect, inject, test } from 'vitest';
import { waitFor } from '../../../hack/cluster/wait.ts';
import { type Action, actionSchema } from '../../../src/api/action.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { connect } from '../../../src/cli/connect.ts';
import { lintFiles } from '../../../src/cli/lint.ts';
import { runCli } from '../../../src/cli/program.ts';
import { releaseOffline } from '../../../src/controllers/rollout/release-offline.ts';
import { kubeConfig, makeNamespace } from '../../support/api-server.ts';
import { installCrds } from '../../support/install-crds.ts';
import type { Manifest } from '../../support/manifests.ts';
import { apply, rawApi } from '../../support/raw-api.ts';
import { healthyStatus, holdingStatus, rolledBackStatus } from '../../support/rollout-status.ts';
import { serveGatewayApi } from '../../support/serve-gateway-api.ts';

const config = kubeConfig();
const signal = AbortSignal.timeout(600_000);
const CANARY = '6d5f8c9b7c';
let namespace: string;

beforeAll(async () => {
  await installCrds(signal);
  namespace = await makeNamespace('cli');
});

const base = (group: string, plural: string) =>
  `/${group === 'v1' ? 'api/v1' : `apis/${group}`}/namespaces/${namespace}/${plural}`;
const rollout = (name: string, suffix = '') => `${base('sluice.dev/v1alpha1', 'rollouts')}/${name}${suffix}`;

async function expectOk(answer: Promise<{ status: number; body: Manifest }>): Promise<Manifest> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(body.message);
  return body;
}

const patch = (path: string, body: Manifest) =>
  expectOk(rawApi(config, 'PATCH', path, { body, contentType: 'application/merge-patch+json' }));

const writeStatus = (name: string, status: Manifest) => patch(rollout(name, '/status'), { status });

/** A Deployment and a Rollout of this name, with a status as the operator writes it. */
async function make(name: string, status: Manifest, { held = true } = {}): Promise<void> {
  await expectOk(
    apply(config, `${base('apps/v1', 'deployments')}/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, annotations: held ? { 'sluice.dev/held-by': name } : {} },
      spec: {
        paused: held,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image: 'app:v1' }] } },
      },
    }),
  );
  await expectOk(
    apply(config, rollout(name), {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'Rollout',
      metadata: { name },
      spec: {
        workload: { name },
        traffic: { service: name, router: { gatewayAPI: { httpRoutes: [{ name }] } } },
        steps: [{ weight: 100, hold: '2m' }],
      },
    }),
  );
  if (status.inFlight) status.inFlight.generation = 1;
  await writeStatus(name, status);
}

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line against the API server; `onLine` sees each line as it is told. */
async function sluice(args: string[], { onLine = (_: string) => {}, stdin = '' } = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runCli(args, {
    out: (text) => {
      out.push(text);
      onLine(text);
    },
    err: (text) => void err.push(text),
    colour: false,
    clock: systemClock,
    signal,
    connect: (flags) => connect({ namespace, kubeconfig: inject('kubeconfig'), ...flags }),
    readText: async (path) => (path === '-' ? stdin : readFileSync(path, 'utf8')),
    releaseOffline,
  });
  return { exit, out: out.join('\n'), err: err.join('\n') };
}

/** Plays the operator: takes up the next action of a Rollout, and answers what was asked. */
async function takeUp(name: string, message: string, status: Manifest = {}): Promise<Action> {
  const probe = async () => {
    const { body } = await rawApi(config, 'GET', rollout(name));
    const text = body.metadata.annotations?.['sluice.dev/action'];
    if (text === undefined) return undefined;
    const action = actionSchema.parse(JSON.parse(text));
    return body.status.actionIds?.includes(action.id) ? undefined : { action, before: body.status };
  };
  const { action, before } = await waitFor(probe, {
    what: `an action on ${name}`,
    timeoutMs: 20_000,
    everyMs: 20,
    signal,
  });
  const entry = { at: new Date().toISOString(), from: 'x', to: 'y', reason: 'Asked', message, by: action.by };
  await writeStatus(name, { ...status, actionIds: [action.id, ...(before.actionIds ?? [])], transitions: [entry] });
  return action;
}

test('get shows what the operator wrote, as table, wide, yaml and json', async () => {
  await make('listed', holdingStatus());
  expect((await sluice(['get'])).out).toMatch(/listed +Progressing +3\/5 +25% +Safe +Holding +\d/);
  expect((await sluice(['get', 'slr/listed', '-o', 'wide'])).out).toContain(CANARY);
  expect((await sluice(['get', '-A'])).out).toMatch(new RegExp(`${namespace} +listed`));
  expect(JSON.parse((await sluice(['get', 'listed', '-o', 'json'])).out)).toMatchObject({ kind: 'Rollout' });
  expect((await sluice(['get', '-o', 'yaml'])).out).toMatch(/^apiVersion: v1\nkind: List/);
  const empty = await makeNamespace('cli-empty');
  expect(await sluice(['get', '-n', empty])).toEqual({
    exit: 0,
    out: '',
    err: `No Rollouts found in namespace ${empty}.`,
  });
});

test('status tells by its exit status whether a rollout is in flight, rolled back or done', async () => {
  await make('now', holdingStatus());
  expect(await sluice(['status', 'now'])).toMatchObject({ exit: 3, out: expect.stringContaining('▸  3  weight 25%') });
  await make('back', rolledBackStatus());
  expect((await sluice(['status', 'back'])).exit).toBe(1);
  await make('done', healthyStatus(), { held: false });
  expect((await sluice(['status', 'done'])).exit).toBe(0);
});

const stableNow = { hash: CANARY, since: '2026-03-01T12:00:00Z' };

test.each([
  ['promoted', 0, { ...healthyStatus(), stable: stableNow, inFlight: null }],
  ['rolled back', 1, { ...rolledBackStatus(), inFlight: null }],
  ['replaced by another template', 4, { inFlight: { ...holdingStatus().inFlight, hash: 'another', generation: 2 } }],
  ['withdrawn', 4, { ...healthyStatus(), inFlight: null }],
])('status --watch tells each change until the rollout is %s', async (how, exit, end) => {
  const name = how.replaceAll(' ', '-');
  await make(name, holdingStatus());
  const told: string[] = [];
  let ended = Promise.resolve<unknown>(undefined);
  const onLine = (line: string) => {
    told.push(line);
    if (told.length === 1) ended = writeStatus(name, { weight: '50%', reason: 'Routing' });
    if (told.length === 2) ended = writeStatus(name, end);
  };
  expect((await sluice(['status', name, '--watch'], { onLine })).exit).toBe(exit);
  await ended;
  expect(told[0]).toMatch(/^\d\d:\d\d:\d\d {2}Progressing {2}step 3\/5 {2}25% {2}Safe {2}Holding: /);
  expect(told[1]).toContain('50%  Safe  Routing');
});

test('status --watch gives up in time', async () => {
  await make('slow', holdingStatus());
  expect(await sluice(['status', 'slow', '--watch', '--timeout', '1s'])).toMatchObject({
    exit: 2,
    err: 'slow did not end within 1 s',
  });
});

test('status --watch ends when the Rollout is deleted', async () => {
  await make('deleted', holdingStatus());
  const onLine = () => void rawApi(config, 'DELETE', rollout('deleted'));
  expect((await sluice(['status', 'deleted', '-w'], { onLine })).exit).toBe(4);
});

test.each([
  ['approve', [], 'approve', CANARY],
  ['pause', [], 'pause', undefined],
  ['resume', [], 'resume', undefined],
  ['promote', [], 'promote', CANARY],
  ['promote', ['--full'], 'promote-full', CANARY],
  ['abort', [], 'abort', undefined],
  ['abort', ['--force'], 'abort-force', undefined],
  ['retry', [], 'retry', CANARY],
  ['release', [], 'release', undefined],
])('%s %s asks the operator and says what it did', async (command, flags, action, revision) => {
  const name = `acts-${action}`;
  await make(name, holdingStatus());
  const [ran, asked] = await Promise.all([
    sluice([command, `rollout/${name}`, ...flags, '--reason', 'because']),
    takeUp(name, `${action} it is`, { phase: 'Paused', reason: 'Asked', message: 'as asked' }),
  ]);
  expect(asked).toMatchObject({ action, reason: 'because', by: expect.stringContaining('admin') });
  expect(asked.revision).toBe(revision);
  expect(ran).toEqual({
    exit: 0,
    out: `${name}: ${action} it is\nPaused  step 3/5  25%  Safe  Asked: as asked`,
    err: '',
  });
});

test('a refusal is told with its reason and status 1', async () => {
  await make('refuses', holdingStatus());
  const [ran] = await Promise.all([
    sluice(['approve', 'refuses']),
    takeUp('refuses', 'approve was refused: nothing waits for approval'),
  ]);
  expect(ran).toEqual({ exit: 1, out: '', err: 'refuses: approve was refused: nothing waits for approval' });
});

test('without an operator the wish stays, is told as such, and only abort overtakes it', async () => {
  await make('alone', holdingStatus());
  const first = await sluice(['pause', 'alone', '--timeout', '1s']);
  expect(first).toMatchObject({ exit: 5, err: expect.stringContaining('SLUICE_CLI_NOT_CONSUMED') });
  expect(first.err).toContain('Progressing: Holding');
  const second = await sluice(['resume', 'alone', '--timeout', '1s']);
  expect(second).toMatchObject({ exit: 5, err: expect.stringContaining('SLUICE_CLI_ACTION_PENDING') });
  const [third, asked] = await Promise.all([sluice(['abort', 'alone']), waitForAbort()]);
  expect(asked.action).toBe('abort');
  expect(third.exit).toBe(0);

  async function waitForAbort(): Promise<Action> {
    const isAbort = async () => {
      const { body } = await rawApi(config, 'GET', rollout('alone'));
      return body.metadata.annotations['sluice.dev/action'].includes('"abort"');
    };
    await waitFor(isAbort, { what: 'the abort', timeoutMs: 20_000, everyMs: 20, signal });
    return takeUp('alone', 'abort was asked');
  }
});

test('what is not there, and what makes no sense, is told with a code and what to do', async () => {
  expect(await sluice(['status', 'nobody'])).toMatchObject({
    exit: 5,
    err: expect.stringContaining('SLUICE_CLI_NO_ROLLOUT'),
  });
  expect(await sluice(['status', 'pod/x'])).toMatchObject({
    exit: 5,
    err: expect.stringContaining('SLUICE_CLI_ARGUMENT'),
  });
  expect(await sluice(['get', 'x', '-A'])).toMatchObject({
    exit: 5,
    err: expect.stringContaining('SLUICE_CLI_ARGUMENT'),
  });
  expect(await sluice(['status', 'x', '--timeout', 'soon'])).toMatchObject({
    exit: 5,
    err: expect.stringContaining('soon'),
  });
  expect(await sluice(['get', '--context', 'nowhere'])).toMatchObject({
    exit: 5,
    err: expect.stringContaining('SLUICE_KUBE_CONFIG'),
  });
  expect(await sluice(['get', '--kubeconfig', '/nowhere'])).toMatchObject({
    exit: 5,
    err: expect.stringContaining('SLUICE_KUBE_CONFIG'),
  });
  expect((await sluice(['dance'])).exit).toBe(5);
  expect(await sluice(['abort', '--help'])).toMatchObject({ exit: 0, out: expect.stringContaining('--force') });
});

test('lint ends with 1 for problems, and for doubts only where they count', async () => {
  const doubtful = readFileSync('examples/rollouts/minimal.yaml', 'utf8').replace('weight: 100', 'weight: 50');
  expect((await sluice(['lint', '-f', 'examples/rollouts/minimal.yaml'])).exit).toBe(0);
  expect((await sluice(['lint', '-f', '-'], { stdin: doubtful })).exit).toBe(0);
  expect(await sluice(['lint', '-f', '-', '--strict'], { stdin: doubtful })).toMatchObject({
    exit: 1,
    out: expect.stringContaining('-:19: doubt: '),
    err: '1 checked, 0 of other kinds, 1 to look at',
  });
  expect((await sluice(['lint', '-f', '-'], { stdin: doubtful.replace('50', '500') })).exit).toBe(1);
});

test('init finds the Service and the routes of a Deployment, and says what is missing', async () => {
  await make('fits', healthyStatus());
  const noService = await sluice(['init', 'deployment/fits']);
  expect(noService).toMatchObject({ exit: 5, err: expect.stringContaining('SLUICE_CLI_NO_SERVICE') });

  const service = (name: string, selector: object) =>
    expectOk(
      apply(config, `${base('v1', 'services')}/${name}`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector, ports: [{ port: 80 }] },
      }),
    );
  await service('fits', { app: 'fits' });
  await service('fits-debug', { app: 'fits' });
  await service('unrelated', { app: 'other' });
  const noRoute = await sluice(['init', 'deployment/fits']);
  expect(noRoute).toMatchObject({ exit: 5, err: expect.stringContaining('SLUICE_CLI_NO_ROUTE') });

  await serveGatewayApi(config, signal);
  const route = (name: string, ...backendRefs: object[]) =>
    expectOk(
      apply(config, `${base('gateway.networking.k8s.io/v1', 'httproutes')}/${name}`, {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name },
        spec: { parentRefs: [{ name: 'gateway' }], rules: [{ backendRefs }] },
      }),
    );
  await route('public', { name: 'unrelated', port: 80 }, { name: 'fits', port: 80 });
  await route('elsewhere', { name: 'fits', namespace: 'other', port: 80 });
  await route('else', { name: 'unrelated', port: 80 });
  const { exit, out } = await sluice(['init', 'deploy/fits']);
  expect(exit).toBe(0);
  expect(out).toContain('    service: fits\n');
  expect(out).toContain('        httpRoutes:\n          - name: public\n  steps:');
  expect(out).toContain('# Service fits-debug picks the same pods');
  expect(lintFiles([['-', out]]).findings).toEqual([]);
  expect((await sluice(['init', 'nobody'])).err).toContain('SLUICE_CLI_NO_DEPLOYMENT');
});
