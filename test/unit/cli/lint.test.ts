import { expect, test } from 'vitest';
import { findingText, lintFiles } from '../../../src/cli/lint.ts';

const flag = (variants: string, rest = '') => `apiVersion: sluice.dev/v1alpha1
kind: FeatureFlag
metadata: { name: dark }
spec:
  type: boolean
  variants: ${variants}
  offVariant: "off"
  defaultVariant: "off"
${rest}`;

test('names that kubectl reads as booleans are found before the API server refuses them', () => {
  expect(lintFiles([['f', flag('{ "on": true, "off": false }')]]).findings).toEqual([]);
  const { findings } = lintFiles([['f', flag('{ on: true, off: false }')]]);
  expect(findings.map(({ severity, path }) => [severity, path])).toContainEqual(['Error', 'spec.offVariant']);
});

test('a date is text, and merge keys merge, as in the cluster', () => {
  const text = flag('{ <<: &both { "on": true, "off": false } }', '  expiresAfter: 2027-03-01\n');
  expect(lintFiles([['f', text]])).toEqual({ findings: [], checked: 1, others: 0 });
});

test('the items of a List are looked at, each with its line', () => {
  const item = flag('{ "on": true }').replace(/^/gm, '    ').replace('    ', '  - ');
  const list = `apiVersion: v1\nkind: List\nitems:\n  - kind: Service\n    apiVersion: v1\n${item}\n`;
  const { findings, checked, others } = lintFiles([['f', list]]);
  expect({ checked, others }).toEqual({ checked: 1, others: 1 });
  expect(findings).toMatchObject([
    { line: 12, object: 'FeatureFlag dark', path: 'spec.offVariant' },
    { line: 13, object: 'FeatureFlag dark', path: 'spec.defaultVariant' },
  ]);
});

test.each([
  ['an alias that leads nowhere', 'a: 1\nb: *nowhere', 'Unresolved alias'],
  ['aliases without end', `a: &a [1]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`, 'Excessive alias count'],
  ['nesting without end', `{ a: ${'['.repeat(5_000)}`, ''],
])('%s is a finding, and takes no other file with it', (_, text, why) => {
  const { findings, checked } = lintFiles([
    ['f', text],
    ['g', flag('{ "on": true, "off": false }')],
  ]);
  expect(checked).toBe(1);
  expect(findings).toMatchObject([{ code: 'SLUICE_CLI_FILE', severity: 'Error', file: 'f' }]);
  expect(findings.map(findingText).join()).toContain(why);
});
