import { expect, test } from 'vitest';
import { parseOperatorConfig } from '../../../src/api/operator-config.ts';

test('an empty file means all defaults', () => {
  const injection = { imagePullPolicy: 'IfNotPresent', resources: {} };
  const defaults = { prometheus: {}, defaultGuardrails: [], injection, log: { level: 'info' } };
  expect(parseOperatorConfig('')).toEqual(defaults);
  expect(parseOperatorConfig('# nothing\n')).toEqual(defaults);
});

test('default guardrails are held to the rules of guardrails', () => {
  const text = 'defaultGuardrails: [{ name: errors, metric: http-error-ratio, max: 0.01, interval: 30s }]';
  expect(parseOperatorConfig(text).defaultGuardrails).toMatchObject([{ name: 'errors', max: 0.01, interval: 30_000 }]);
});

test.each([
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
