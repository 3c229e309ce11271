import { expect, test } from 'vitest';
import { HELP, parseOptions } from '../../../src/evaluator/options.ts';

test('local mode listens on loopback and does not look for changes, unless told', () => {
  expect(parseOptions(['--file', 'a.yaml', '--file', 'b'])).toEqual({
    files: ['a.yaml', 'b'],
    watch: false,
    namespace: undefined,
    boot: undefined,
    stateDir: undefined,
    stream: undefined,
    failClosedAfterMs: undefined,
    readyWithoutAfterMs: undefined,
    publicKeys: [],
    events: undefined,
    evaluation: { host: '127.0.0.1', port: 8016 },
    extAuthz: undefined,
    health: { host: '127.0.0.1', port: 8017 },
    logLevel: 'info',
  });
});

test.each([
  [[], 'give --file'],
  [['--file', 'a', '--boot', 'b'], 'excludes'],
  [['--boot', 'a', '--watch'], 'need --file'],
  [['--file', 'a', '--port', '65536'], '--port'],
  [['--file', 'a', '--port', ''], '--port'],
  [['--file', 'a', '--health-port', '1.5'], '--health-port'],
  [['--file', 'a', '--log-level', 'loud'], '--log-level'],
  [['--file', 'a', '--ext-authz-port', 'x'], '--ext-authz-port'],
  [['--file', 'a', '--nonsense'], '--nonsense'],
  [['--file', 'a', 'b'], "'b'"],
  [['--file', 'a', '--operator', 'https://operator'], 'excludes'],
  [['--operator', 'operator:8082', '--flag-set', 'shop'], 'http'],
  [['--operator', 'https://operator'], '--flag-set'],
  [['--boot', 'a', '--flag-set', 'shop'], 'needs --operator'],
  [['--boot', 'a', '--fail-closed-after', '1h'], 'needs --operator'],
  [['--file', 'a', '--token-file', 't'], 'needs --operator'],
  [['--operator', 'https://operator', '--flag-set', 'shop', '--fail-closed-after', '0s'], '--fail-closed-after'],
  [['--operator', 'https://operator', '--flag-set', 'shop', '--fail-closed-after', '90'], '--fail-closed-after'],
  [['--operator', 'https://operator', '--flag-set', 'shop', '--fail-closed-after', '29s'], 'at least 30s'],
  [['--boot', 'a', '--ready-without-after', 'soon'], '--ready-without-after'],
  [['--file', 'a', '--collector', 'http://collector'], '--events-dir'],
  [['--file', 'a', '--events-dir', 'd', '--collector', 'collector:80'], 'http URL'],
])('%j is refused by a code', (args, part) => {
  expect(() => parseOptions(args)).toThrow(/^SLUICE_SIDECAR_ARGUMENT: /);
  expect(() => parseOptions(args)).toThrow(part);
});

test('events are taken where they have a directory, and sent where they have a collector', () => {
  const eventsOf = (...args: string[]) => parseOptions(['--file', 'a', ...args])?.events;
  expect(eventsOf('--events-dir', 'd')).toEqual({ directory: 'd', collector: undefined });
  expect(eventsOf('--events-dir', 'd', '--collector', 'https://collector.example/sluice')).toEqual({
    directory: 'd',
    collector: new URL('https://collector.example/sluice'),
  });
});

test('the stream needs its address and a flag set; the rest is known in a pod', () => {
  const args = ['--operator', 'https://operator:8082', '--flag-set', 'shop'];
  const options = parseOptions(args, { POD_NAME: 'web-1' });
  expect(options).toMatchObject({ files: [], boot: undefined, failClosedAfterMs: undefined });
  expect(options?.stream).toEqual({
    address: 'https://operator:8082',
    flagSetId: 'shop',
    subscriber: 'web-1',
    tokenFile: '/var/run/secrets/sluice/token',
    caFile: undefined,
  });
  expect(parseOptions(args, {})?.stream?.subscriber).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
  const more = ['--subscriber', 'me', '--token-file', 't', '--ca-file', 'c', '--fail-closed-after', '15m'];
  const chosen = parseOptions([...args, ...more], { POD_NAME: 'web-1' });
  expect(chosen?.stream).toMatchObject({ subscriber: 'me', tokenFile: 't', caFile: 'c' });
  expect(chosen?.failClosedAfterMs).toBe(900_000);
});

test('gateways may ask on the host of the evaluation', () => {
  const options = parseOptions(['--file', 'a', '--host', '0.0.0.0', '--ext-authz-port', '8018']);
  expect(options?.extAuthz).toEqual({ host: '0.0.0.0', port: 8018 });
});

test('--help explains every option', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
  for (const name of [
    'file',
    'watch',
    'namespace',
    'boot',
    'state-dir',
    'public-key',
    'operator',
    'flag-set',
    'subscriber',
    'token-file',
    'ca-file',
    'fail-closed-after',
    'events-dir',
    'collector',
    'host',
    'port',
    'health-host',
    'ext-authz-port',
  ])
    expect(HELP).toContain(`--${name}`);
});
