import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { startCheckServer } from '../../../src/evaluator/ext-authz/check-server.ts';
import { checkClient, encodeCheck } from '../../support/ext-authz.ts';
import { EXTENSIONS, gatewayWith } from '../../support/gateway.ts';
import { rolloutFlag } from '../../support/rollout-flags.ts';
import { until } from '../../support/sidecar.ts';

const CHECK = '/envoy.service.auth.v3.Authorization/Check';

const userIs = (unit: string) => ({ headers: { 'x-user-id': unit }, extensions: EXTENSIONS });

/** As gRPC puts a message on the wire. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test('a user gets what the flag of the rollout gives to the same targeting key over OFREP', async () => {
  const { client, sidecar } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(30) });
  let canaries = 0;
  for (let user = 0; user < 200; user++) {
    const told = await client.check(userIs(`user-${user}`));
    const context = { targetingKey: `user-${user}` };
    const { body } = await sidecar.post('/ofrep/v1/evaluate/flags/rollout/shop/web', { context });
    expect(told).toEqual({
      status: 0,
      set: {
        ...{ 'x-sluice-variant': body.value, 'x-sluice-unit': `user-${user}` },
        ...(body.value === 'canary' && { 'x-sluice-revision': '7f' }),
      },
      removed: body.value === 'canary' ? [] : ['x-sluice-revision'],
      added: [],
    });
    if (body.value === 'canary') canaries++;
  }
  expect(canaries).toBeGreaterThan(40);
  expect(canaries).toBeLessThan(80);
});

test('a navigation without a unit is given one, which counts at once and from then on', async () => {
  const { client } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(50) });
  const units = new Set<string>();
  for (let browser = 0; browser < 40; browser++) {
    const first = await client.check({ headers: { 'sec-fetch-mode': 'navigate' }, extensions: EXTENSIONS });
    const [, unit = ''] = /^sluice-unit=([\w-]{22}); /.exec(first.added[0]?.[1] ?? '') ?? [];
    expect(first.set['x-sluice-unit']).toBe(unit);
    const second = await client.check({ headers: { cookie: `a=1; sluice-unit=${unit}` }, extensions: EXTENSIONS });
    expect(second).toEqual({ ...first, added: [] });
    units.add(unit);
  }
  expect(units.size).toBe(40);
});

test('a kill switch, a rollout that is gone, and no ruleset at all lead to stable', async () => {
  const { client, mount, sidecar } = await gatewayWith(undefined);
  const stable = { set: { 'x-sluice-variant': 'stable', 'x-sluice-unit': 'u' }, status: 0 };
  expect(await client.check(userIs('u'))).toMatchObject(stable);
  mount({ 'rollout/shop/web': rolloutFlag(100) }, 1);
  await until(async () => (await client.check(userIs('u'))).set['x-sluice-variant'] === 'canary');
  mount({ 'rollout/shop/web': rolloutFlag(100, { killSwitch: true }) }, 2);
  await until(async () => (await client.check(userIs('u'))).set['x-sluice-variant'] === 'stable');
  mount({ 'rollout/shop/web': rolloutFlag(100) }, 3);
  await until(async () => (await client.check(userIs('u'))).set['x-sluice-variant'] === 'canary');
  mount({ 'rollout/shop/other': rolloutFlag(100) }, 4);
  await until(async () => (await client.check(userIs('u'))).set['x-sluice-variant'] === 'stable');
  const metrics = await (await fetch(`${sidecar.healthUrl}/metrics`)).text();
  for (const labels of [
    'variant="stable",reason="NotReady"',
    'variant="canary",reason="Evaluated"',
    'variant="stable",reason="Evaluated"',
    'variant="stable",reason="RolloutUnknown"',
  ])
    expect(metrics).toMatch(new RegExp(`^sluice_gateway_checks_total\\{${labels}\\} [1-9]`, 'm'));
  expect(metrics).toMatch(/^sluice_gateway_check_seconds_count [1-9]/m);
});

test('bytes that are no check are answered with stable, whatever they are', async () => {
  const { client } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  const good = encodeCheck(userIs('u'));
  const stable = {
    status: 0,
    set: { 'x-sluice-variant': 'stable' },
    removed: ['x-sluice-revision', 'x-sluice-unit'],
    added: [],
  };
  for (const bad of [Buffer.alloc(0), good.subarray(0, 20), Buffer.alloc(200_000, 0xff), Buffer.alloc(200_000)])
    expect(await client.send(bad)).toEqual(stable);
  expect((await client.send(good)).set['x-sluice-variant']).toBe('canary');
});

test('a message larger than any of Envoy is refused', async () => {
  const { client } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  await expect(client.send(Buffer.alloc(300_000))).rejects.toThrow('RESOURCE_EXHAUSTED');
  expect((await client.check(userIs('u'))).set['x-sluice-variant']).toBe('canary');
});

test('a check whose message never comes is answered with stable after a second, and its room is free again', async () => {
  const { port, client } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const silent = session.request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
  silent.write(Buffer.from([0, 0, 0, 1, 0, 1, 2]));
  silent.resume();
  const [trailers] = await once(silent, 'trailers');
  expect(trailers['grpc-status']).toBe('0');
  expect((await client.check(userIs('u'))).set['x-sluice-variant']).toBe('canary');
});

test('what does not fit at a time is answered with stable at once', async () => {
  const { port, client, sidecar } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  for (let connection = 0; connection < 5; connection++) {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    onTestFinished(() => session.destroy());
    await once(session, 'remoteSettings');
    for (let stream = 0; stream < 500; stream++) {
      const silent = session.request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
      silent.on('error', () => {});
      silent.resume();
    }
  }
  await until(async () =>
    /reason="Overloaded"\} [1-9]/.test(await (await fetch(`${sidecar.healthUrl}/metrics`)).text()),
  );
  await until(async () => (await client.check(userIs('u'))).set['x-sluice-variant'] === 'canary');
});

test('what is no gRPC harms nobody', async () => {
  const { port, client } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'close');
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  for (const headers of [
    { ':method': 'PUT', ':path': '/' },
    { ':method': 'POST', ':path': CHECK, 'content-type': 'text/plain' },
    { ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc', 'grpc-timeout': '99999999H' },
    { ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc', 'grpc-timeout': 'soon' },
    { ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' },
  ]) {
    const stream = session.request(headers);
    stream.on('error', () => {});
    stream.resume();
    stream.end(Buffer.from([1, 0, 0, 0, 4, 31, 139, 8, 0]));
    await once(stream, 'close');
  }
  expect((await client.check(userIs('u'))).set['x-sluice-variant']).toBe('canary');
});

test('at SIGTERM a check that is under way is answered, and the process ends with 0', async () => {
  const { port, client, sidecar } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
  const message = framed(encodeCheck(userIs('u')));
  stream.write(message.subarray(0, 5));
  await once(session, 'remoteSettings');
  await client.check(userIs('u')); // the server has had a turn since
  const goaway = once(session, 'goaway');
  const ended = sidecar.stop('SIGTERM');
  await goaway;
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.end(message.subarray(5));
  const [trailers] = await once(stream, 'trailers');
  expect(trailers['grpc-status']).toBe('0');
  expect(Buffer.concat(chunks).includes('canary')).toBe(true);
  client.close();
  expect(await ended).toBe(0);
});

test('a gateway that does not take its answer holds the stop up for 5 s at most', async () => {
  const { port, client, sidecar } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(100) });
  const session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
  stream.on('error', () => {});
  stream.end(framed(encodeCheck(userIs('u'))));
  await once(stream, 'response'); // its data wait for room
  client.close();
  expect(await sidecar.stop('SIGTERM')).toBe(0);
});

test('a bug in a decision sends the request to stable, is logged, and ends nothing', async () => {
  const logged: string[] = [];
  const write = (_: object, message?: string) => void logged.push(message ?? '');
  const server = await startCheckServer(
    { host: '127.0.0.1', port: 0 },
    {
      clock: systemClock,
      logger: { debug: write, info: write, warn: write, error: write },
      answered: () => {},
      route: () => {
        throw new Error('a bug');
      },
    },
  );
  onTestFinished(() => server.stop(1_000));
  const client = checkClient(server.port);
  for (let count = 0; count < 2; count++)
    expect((await client.check(userIs('u'))).set).toEqual({ 'x-sluice-variant': 'stable' });
  expect(logged).toEqual(['a check failed', 'a check failed']);
});

test('a port that is taken is a wrong argument', async () => {
  const { port } = await gatewayWith({});
  const args = ['--file', 'examples/flags', '--port', '0', '--health-port', '0', '--ext-authz-port', String(port)];
  const second = spawnSync(process.execPath, ['src/sidecar.ts', ...args], { encoding: 'utf8', timeout: 30_000 });
  expect(second.status).toBe(1);
  expect(second.stderr).toContain('SLUICE_SIDECAR_ARGUMENT: --ext-authz-port: ');
});

test('no unit is ever logged', async () => {
  const { client, sidecar } = await gatewayWith({ 'rollout/shop/web': rolloutFlag(50) });
  await client.check(userIs('someone@example.com'));
  await client.check({ headers: { 'x-user-id': 'hush\u0001hush' }, extensions: EXTENSIONS });
  expect(sidecar.log()).not.toMatch(/someone|hush/);
});
