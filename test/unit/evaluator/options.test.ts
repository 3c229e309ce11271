import { expect, test } from 'vitest';
import { HELP, parseOptions } from '../../../src/evaluator/options.ts';

test('local mode listens on loopback and does not look for changes, unless told', () => {
  expect(parseOptions(['--file', 'a.yaml', '--file', 'b'])).toEqual({
    files: ['a.yaml', 'b'],
    watch: false,
    namespace: undefined,
    boot: undefined,
    stateDir: undefined,
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
    'events-dir',
    'collector',
    'host',
    'port',
    'health-host',
    'ext-authz-port',
  ])
    expect(HELP).toContain(`--${name}`);
});
