import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DurationMs } from '../../../src/base/units.ts';
import { parseTemplate, renderTemplate, type TemplateValues } from '../../../src/providers/template.ts';
import { lexPromql } from '../../support/promql-lexer.ts';

const values: TemplateValues = {
  namespace: 'shop',
  rollout: 'catalog',
  service: 'catalog-web',
  canaryHash: '6d4b75cb6d',
  stableHash: '5f7b9c8d7f',
  window: 60_000 as DurationMs,
};

function render(text: string, more: Partial<TemplateValues> = {}): string {
  const template = parseTemplate(text);
  if (template.kind === 'Problems') throw new Error(JSON.stringify(template.problems));
  return renderTemplate(template, { ...values, ...more });
}

function problems(text: string): string[] {
  const template = parseTemplate(text);
  return template.kind === 'Template'
    ? []
    : template.problems.map(({ code, line, column }) => `${line}:${column} ${code.replace('SLUICE_QUERY_', '')}`);
}

test('a usual query gets its names and its window', () => {
  const text = `sum(rate(http_requests_total{namespace="{{namespace}}", pod=~"{{ rollout }}-{{canaryHash}}-.*", code=~'5..'}[{{window}}]))`;
  expect(render(text)).toBe(
    `sum(rate(http_requests_total{namespace="shop", pod=~"(?:catalog)-(?:6d4b75cb6d)-.*", code=~'5..'}[60s]))`,
  );
});

test('a query without placeholders is left as it is, character by character', () => {
  const text =
    'sum by (x) (a{b="\\u00e9\\"", c=~`\\d+`, "d.e"=\'f\'}[5m:1m] offset 1h) # it\'s "fine" {{whatever}}\n== bool 1';
  expect(render(text)).toBe(text);
});

test('a window of parts of a second is written in milliseconds', () => {
  expect(render('rate(a[{{window}}:{{window}}]) offset {{window}}', { window: 1500 as DurationMs })).toBe(
    'rate(a[1500ms:1500ms]) offset 1500ms',
  );
});

test('a value that looks like a placeholder is not replaced again', () => {
  expect(render('a{b="{{rollout}}"}', { rollout: '{{namespace}}' })).toBe('a{b="{{namespace}}"}');
});

test('comments are left alone, quotes in them open nothing, and placeholders in them stay', () => {
  expect(render(`a{ # it's {{rollout}}\n b="{{rollout}}"}`)).toBe(`a{ # it's {{rollout}}\n b="catalog"}`);
});

describe('whatever the values', () => {
  const templates = [
    'a{b="{{rollout}}"}',
    "a{b!='x{{rollout}}y{{service}}'} + 1",
    'a{b=`raw \\ "{{rollout}}" \n line`, c="d"}[{{window}}]',
    'a{b=~"{{rollout}}-.*", c !~ \'{{rollout}}|[^]x]{2}\'} or vector(1)',
    'a{b=~`\\d{{rollout}}+`}',
  ];
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('"', "'", '`', '\\', '{', '}', '\n', '#', 'u', '0', '\u2028', '\uFFFD', '\u{1F600}'),
    }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  );

  test('only the content of the strings that hold them changes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...templates), anything, anything, (text, rollout, service) => {
        const harmless = lexPromql(render(text, { rollout: 'A', service: 'B' }));
        const rendered = lexPromql(render(text, { rollout, service }));
        expect(rendered.map(({ kind }) => kind)).toEqual(harmless.map(({ kind }) => kind));
        rendered.forEach((token, i) => {
          if (token.kind !== 'String') expect(token).toEqual(harmless[i]);
        });
      }),
      { numRuns: 2000 },
    );
  });

  test('a string decodes to exactly the value', () => {
    fc.assert(
      fc.property(fc.constantFrom('"', "'", '`'), anything, (quote, rollout) => {
        const tokens = lexPromql(render(`a{b=${quote}<{{rollout}}>${quote}}`, { rollout }));
        expect(tokens[4]).toEqual({ kind: 'String', text: `<${rollout.toWellFormed()}>` });
      }),
      { numRuns: 2000 },
    );
  });

  test('a regular expression matches exactly the value, also where a quantifier follows', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const rollout = value.toWellFormed();
        const tokens = lexPromql(render('a{b=~"x{{rollout}}?y"}', { rollout }));
        // RE2 and JavaScript agree on the escapes that are used here.
        const regex = new RegExp(`^(?:${tokens.at(-2)?.text})$`, 's');
        expect(regex.test(`x${rollout}y`)).toBe(true);
        expect(regex.test('xy')).toBe(true);
        expect(regex.test(`x${rollout}zy`)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a template is refused', () => {
  test.each([
    ['when a name stands outside of a string', 'a{b={{rollout}}}', '1:5 PLACEHOLDER_MISPLACED'],
    ['when a name stands as a metric', '{{rollout}}_total', '1:1 PLACEHOLDER_MISPLACED'],
    [
      'when a string is no matcher value',
      'label_replace(a, "b", "{{rollout}}", "c", "d")',
      '1:24 PLACEHOLDER_MISPLACED',
    ],
    ['when a string is compared outside of braces', 'a == "{{rollout}}"', '1:7 PLACEHOLDER_MISPLACED'],
    ['when a string is a quoted metric name', 'sum({"{{rollout}}", b="c"})', '1:7 PLACEHOLDER_MISPLACED'],
    ['when a placeholder is unknown', 'a{b="{{pod}}"}', '1:6 PLACEHOLDER_UNKNOWN'],
    ['when braces are not closed', 'a{b="{{rollout"}', '1:6 PLACEHOLDER_UNKNOWN'],
    ['when a window is quoted', 'a{b="{{window}}"}', '1:6 PLACEHOLDER_MISPLACED'],
    ['when a window joins a number', 'rate(a[1{{window}}])', '1:9 PLACEHOLDER_MISPLACED'],
    ['when a window joins a name', 'a:{{window}}', '1:3 PLACEHOLDER_MISPLACED'],
    ['when two windows join', 'rate(a[{{window}}{{window}}])', '1:8 PLACEHOLDER_MISPLACED'],
    ['when a window stands among matchers', 'a{ {{window}} }', '1:4 PLACEHOLDER_MISPLACED'],
    ['when a string is not closed', '\na{b="{{rollout}}', '2:5 STRING_INVALID'],
    ['when a string ends with its line', 'a{b="c\n"}', '1:5 STRING_INVALID'],
    ['when an escape is unknown', 'a{b=~"\\d"}', '1:7 STRING_INVALID'],
    ['when an escape is the other quote', `a{b="\\'"}`, '1:6 STRING_INVALID'],
    ['when an escape is a surrogate', 'a{b="\\ud800"}', '1:6 STRING_INVALID'],
    ['when an escape would swallow the value', 'a{b="\\u00{{rollout}}"}', '1:6 STRING_INVALID'],
    ['when a regular expression escapes the value', 'a{b=~"\\\\{{rollout}}"}', '1:9 PLACEHOLDER_MISPLACED'],
    ['when that backslash is hidden', 'a{b=~"\\x5c{{rollout}}"}', '1:11 PLACEHOLDER_MISPLACED'],
    ['when it is raw', 'a{b=~`\\{{rollout}}`}', '1:8 PLACEHOLDER_MISPLACED'],
    ['when a value is in a character class', 'a{b=~"[^]{{rollout}}]"}', '1:10 PLACEHOLDER_MISPLACED'],
    ['when it is in a class after a named class', 'a{b=~"[[:alpha:]{{rollout}}]"}', '1:17 PLACEHOLDER_MISPLACED'],
    ['when a value is quoted by the expression', 'a{b!~"\\\\Qx{{rollout}}\\\\E"}', '1:11 PLACEHOLDER_MISPLACED'],
  ])('%s', (_, text, problem) => {
    expect(problems(text)[0]).toBe(problem);
  });

  test('when it is longer than 8 KiB, counted in bytes', () => {
    const ofBytes = (bytes: number) => `a # ${'é'.repeat((bytes - 4) / 2)}`;
    expect(problems(ofBytes(8192))).toEqual([]);
    expect(problems(ofBytes(8194))).toEqual(['1:1 TOO_LONG']);
  });

  test('with all its problems, but not with thousands', () => {
    expect(problems('{{a}} + {{b}}')).toEqual(['1:1 PLACEHOLDER_UNKNOWN', '1:9 PLACEHOLDER_UNKNOWN']);
    expect(problems('{{a}}'.repeat(1000)).length).toBe(10);
  });
});

test('positions that look bad but are not are accepted', () => {
  expect(problems('a{b=~"\\\\\\\\{{rollout}}", c=~"[a]{{rollout}}", d=~"\\\\[{{rollout}}", e="[{{rollout}}"}')).toEqual(
    [],
  );
});

test('no text makes the reader throw or loop, and what it accepts it can render', () => {
  const part = fc.constantFrom(
    '{{',
    '}}',
    'rollout',
    'window',
    '"',
    "'",
    '`',
    '\\',
    '[',
    ']',
    '{',
    '}',
    '=',
    '~',
    '#',
    '\n',
    'a',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const template = parseTemplate(parts.join(''));
      if (template.kind === 'Template') renderTemplate(template, values);
    }),
    { numRuns: 5000 },
  );
});

test('a window that is no duration is a bug of the caller', () => {
  expect(() => render('a[{{window}}]', { window: 0 as DurationMs })).toThrow('no duration');
});
