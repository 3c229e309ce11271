import { expect, test } from 'vitest';
import { parseOperatorConfig } from '../../../src/api/operator-config.ts';

test('an empty file means all defaults', () => {
  const injection = { imagePullPolicy: 'IfNotPresent', resources: {} };
  const api = { enabled: false };
  const defaults = { prometheus: {}, defaultGuardrails: [], injection, api, log: { level: 'info' } };
  expect(parseOperatorConfig('')).toEqual(defaults);
  expect(parseOperatorConfig('# nothing\n')).toEqual(defaults);
});

test('default guardrails are held to the rules of guardrails', () => {
  const text = 'defaultGuardrails: [{ name: errors, metric: http-error-ratio, max: 0.01, interval: 30s }]';
  expect(parseOperatorConfig(text).defaultGuardrails).toMatchObject([{ name: 'errors', max: 0.01, interval: 30_000 }]);
});

test('Redis has a prefix of its own unless told otherwise', () => {
  const text = 'redis: { url: "rediss://sluice@redis.example:6380/2", passwordFile: /etc/sluice/redis/password }';
  const { redis } = parseOperatorConfig(text);
  expect(redis).toMatchObject({ url: 'rediss://sluice@redis.example:6380/2', keyPrefix: 'sluice:' });
});

test.each([
  ['redis: { url: "redis://:secret@redis" }', 'without a password'],
  ['redis: { url: "redis://me:secret@redis" }', 'without a password'],
  ['redis: { url: "http://redis" }', 'redis.url'],
  ['redis: { url: "redis://redis/x" }', 'redis.url'],
  ['redis: { url: "redis://redis", keyPrefix: "a{b" }', 'redis.keyPrefix'],
  ['redis: {}', 'redis.url'],
  ['log: { level: loud }', 'log.level'],
  ['promtheus: {}', 'promtheus is not a field'],
  ['prometheus: { address: "prometheus:9090" }', 'prometheus.address'],
  ['defaultGuardrails: [{ name: errors }]', 'defaultGuardrails[0]'],
  ['defaultGuardrails: [{ name: a, metric: m }, { name: a, metric: m }]', 'defaultGuardrails'],
  ['- a list', ''],
  ['a: [', 'not YAML'],
  ['a: &a [1]\nb: *a', 'not YAML'],
  ['#'.repeat(300_000), 'larger than'],
])('%.60s is refused with its field', (text, field) => {
  expect(() => parseOperatorConfig(text)).toThrow(/^SLUICE_CONFIG_INVALID: /);
  expect(() => parseOperatorConfig(text)).toThrow(field);
});
